"""The hash of a command changes if its code changes, but not if only comments or docstrings change."""

import pytest

from glioseg.workflow.code_hash import code_hash, parsed

FILES = {
    "command.py": '"""Its words."""\n\nfrom glioseg.used import f\n\n\ndef main():\n    from glioseg.room import late\n'
    "\n    return f(late)\n",
    "glioseg/__init__.py": "",
    "glioseg/used.py": 'def f(x):\n    """Its words."""\n    return x + 1\n',
    "glioseg/room/__init__.py": "",
    "glioseg/room/late.py": "VALUE = 1\n",
    "glioseg/unrelated.py": "VALUE = 1\n",
}


@pytest.fixture
def hash_of(tmp_path):
    """A function that writes the scripts, with some files changed, and returns the hash of the command."""

    def written(**changes):
        # Hashes are cached by path, but here the files change.
        code_hash.cache_clear()
        parsed.cache_clear()
        for name, text in (FILES | {f"{name.replace('__', '/')}.py": text for name, text in changes.items()}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return code_hash(tmp_path, "command.py")

    yield written
    code_hash.cache_clear()
    parsed.cache_clear()


def test_docstrings_and_unrelated_modules_do_not_change_the_hash(hash_of):
    before = hash_of()
    assert len(before) == 16 and set(before) <= set("0123456789abcdef")
    assert hash_of(glioseg__used='# A comment.\ndef f(x):\n    """Other words."""\n\n    return (x + 1)\n') == before
    assert hash_of(command=FILES["command.py"].replace("Its words", "Others")) == before
    assert hash_of(glioseg__unrelated="VALUE = 2\n") == before


def test_code_of_the_command_and_of_its_imports_changes_the_hash(hash_of):
    hashes = [
        hash_of(),
        hash_of(command=FILES["command.py"].replace("return f(late)", "return f(f(late))")),
        hash_of(glioseg__used=FILES["glioseg/used.py"].replace("+ 1", "+ 2")),
        # This module is imported inside a function.
        hash_of(glioseg__room__late="VALUE = 2\n"),
    ]
    assert len(set(hashes)) == len(hashes)
