"""The documentation: its reference covers every setting and option, versions agree, and what it names is there."""

import importlib.util
import re

import yaml
from studies import ROOT
from test_agreement import CONFIG, SCHEMA, command

spec = importlib.util.spec_from_file_location("reference", ROOT / "docs/hooks/reference.py")
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


def test_every_setting_is_in_the_reference_with_its_default_and_its_reason():
    page = reference.settings()
    for name, value in CONFIG.items():
        keys = [(name, key) for key in value] if isinstance(value, dict) else [(name,)]
        assert (f"## {name}\n" in page) == isinstance(value, dict)
        for key in keys:
            assert page.count(f"{{ #{'-'.join(key)} }}") == 1, key
    for group, comment in reference.commented((ROOT / "config.yaml").read_text()):
        assert comment, f"{group}: config.yaml says no reason"
    patch = page.split("{ #train-patch }")[1].split("###")[0]
    assert '**Default** `"auto"` · `auto`, or a list of 3 whole numbers from 8' in patch
    assert "Larger sees more context" in patch


def test_what_a_setting_may_be_is_told_in_words():
    told = {
        "layout": "one of `auto`, `brats`,",
        "seed": "whole number from 0",
        "modalities": "a list of 1 or more text",
    }
    for name, words in told.items():
        assert reference.allowed(SCHEMA["properties"][name], SCHEMA).startswith(words)
    preprocess = SCHEMA["properties"]["preprocess"]["properties"]
    assert reference.allowed(preprocess["crop"], SCHEMA) == (
        "`brain`, or a list of 3 (a list of 2 whole numbers from 0)"
    )
    assert reference.allowed(preprocess["spacing_mm"], SCHEMA) == "number more than 0"


def test_every_command_and_option_is_in_the_reference():
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", reference.commands(), re.M | re.S))
    names = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert set(sections) == names
    for name in names:
        for option in command(name).params:
            for spelled in option.opts:
                assert f"| `{spelled}`" in sections[name] or f" `{spelled}` |" in sections[name], (name, spelled)
    assert "Setting [`train: flip`](settings.md#train-flip)." in sections["train"]


def test_prose_is_no_markup_but_code():
    assert reference.prose("a_b *c* <d> [e] `f_g`") == r"a\_b \*c\* &lt;d&gt; \[e\] `f_g`"


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    released = re.findall(r"^## \[([\d.]+)\] - (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert released[0] == (citation["version"], str(citation["date-released"]))


def test_what_the_readme_and_the_pages_name_is_there():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        text = page.read_text()
        for script in re.findall(r"python (scripts/\w+\.py)", text):
            assert (ROOT / script).is_file(), f"{page.name}: {script}"
        for preset in re.findall(r"presets/\w+\.yaml", text):
            assert (ROOT / preset).is_file(), f"{page.name}: {preset}"
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
        for target in re.findall(r"(?:^    |`)make ([a-z]+)", text, re.M):
            assert target in targets, f"{page.name}: make {target}"
        for words in re.findall(r"(?:^    |`)(python scripts/\w+\.py [^`#\n]*(?:\\\n[^`#\n]*)*)", text, re.M):
            name, options = re.match(r"python scripts/(\w+)\.py", words)[1], re.findall(r" (--[\w-]+)", words)
            known = {spelled for option in command(name).params for spelled in option.opts}
            assert set(options) <= known | {"--help"}, f"{page.name}: {words}"


def test_actions_are_pinned_and_run_what_everyone_runs():
    workflows = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    assert "bash .ci/run" in workflows and "make docs" in workflows
    used = re.findall(r"uses: (\S+)", workflows)
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)
