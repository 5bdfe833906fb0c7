"""Check that files from others cannot run code on this machine; each test fails if a safeguard is removed."""

import ast
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from studies import ROOT

from glioseg.files import read_array

SOURCES = sorted((ROOT / "scripts").rglob("*.py"))
RULES = [ROOT / "Snakefile", *sorted((ROOT / "rules").rglob("*.smk"))]
# Params that never depend on the data: numbers, fixed words and hashes.
OURS = {"{threads}", "{params.seed}", "{params.code}", "{params.forced}", "{params.memory}"}
OURS |= {"{params.configured}", "{params.configured_regions}", "{params.configured_temperature}"}


def calls(path):
    """Yield each call in a file: the dotted name, and the values of its keywords (None unless constant)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            words = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            yield ast.unparse(node.func), words


class Trap:
    """An object whose pickle writes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


def test_arrays_are_read_without_pickle(tmp_path):
    loads = [(path.name, words) for path in SOURCES for name, words in calls(path) if name.endswith("np.load")]
    assert loads
    for name, words in loads:
        assert words.get("allow_pickle") is False, f"{name}: np.load without allow_pickle=False"
    path, sprung = tmp_path / "image.npy", tmp_path / "sprung"
    np.save(path, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
    for mapped in (True, False):
        with pytest.raises(ValueError, match=r"image\.npy cannot be read"):
            read_array(path, 1, mapped)
    path.write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(ValueError, match=r"image\.npy cannot be read"):
        read_array(path, 1)
    assert not sprung.exists()
    # The trap works: loading it as a pickle does write the file.
    pickle.loads(path.read_bytes())
    assert sprung.exists()


LOADING = """
import sys
from pathlib import Path
import keras
from glioseg.predict.runtime import load_networks

sprung, path = Path(sys.argv[1]), Path(sys.argv[2])
code = eval(f"lambda x: (open({str(sprung)!r}, 'w').close(), x)[1]")
image = keras.Input((4, 4, 4, 1))
keras.Model(image, keras.layers.Lambda(code, output_shape=(4, 4, 4, 1))(image)).save(path)
sprung.unlink(missing_ok=True)
for runtime in ("tensorflow", "openvino"):
    try:
        list(load_networks([path], runtime, 1))
    except ValueError as error:
        print(runtime, error)
"""


def test_a_network_that_contains_code_is_refused(tmp_path):
    loads = [words for path in SOURCES for name, words in calls(path) if name.endswith("load_model")]
    assert loads
    assert all(words.get("safe_mode") is True for words in loads)
    # In a separate process, as predict runs, so that nothing loaded here affects it.
    sprung, model = tmp_path / "sprung", tmp_path / "model.keras"
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(sprung), str(model)], capture_output=True, text=True, cwd=ROOT / "scripts"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    refusals = [line.split()[0] for line in done.stdout.splitlines() if "model.keras cannot be read" in line]
    assert refusals[:1] == ["tensorflow"]
    assert "openvino" in done.stdout
    assert not sprung.exists()


@pytest.mark.parametrize("path", [*SOURCES, *RULES], ids=lambda path: path.name)
def test_no_code_runs_text_or_reads_executable_formats(path):
    text = path.read_text()
    for pattern in (
        r"\bpickle\b", r"\bjoblib\b", r"\beval\(", r"\bexec\(", r"os\.system", r"shell=True",
        r"\byaml\.(unsafe_|full_)?load\((?!.*loader\))", r"\|\s*safe\b", r"Markup\(", r"0\.0\.0\.0",
    ):  # fmt: skip
        code = re.sub(r'"""(?s:.*?)"""|#.*$', "", text, flags=re.M)
        assert not re.search(pattern, code), f"{path.name} has {pattern}"


def test_yaml_is_read_by_the_safe_loader():
    text = (ROOT / "scripts/glioseg/workflow/config.py").read_text()
    assert 'getattr(yaml, "CSafeLoader", yaml.SafeLoader)' in text
    assert re.findall(r"yaml\.load\(.*\)", text) == ['yaml.load(path.read_text(encoding="utf-8"), loader)']


def test_pages_escape_and_the_server_listens_on_this_machine_only():
    environments = [words for path in SOURCES for name, words in calls(path) if name == "Environment"]
    assert environments
    assert all(words.get("autoescape") is True for words in environments)
    for template in (ROOT / "scripts/glioseg").rglob("*.j2"):
        assert not re.search(r"\|\s*safe\b|autoescape\s+false", template.read_text()), template.name
    assert 'ThreadingHTTPServer(("127.0.0.1", port)' in (ROOT / "scripts/view.py").read_text()


@pytest.mark.parametrize("path", RULES[1:], ids=lambda path: path.name)
def test_no_shell_text_is_built_from_data(path):
    # Some rules are indented below an `if`.
    shells = [text for _, text in re.findall(r"^( +)shell:\n((?:\1 {4}.*\n)+)", path.read_text(), re.M)]
    without = ("common.smk", "study.smk", "console.smk", "containers.smk")
    assert bool(shells) == (path.parent.name == "rules" and path.name not in without)
    for shell in shells:
        for word in re.findall(r"\{[^{}]+\}", shell):
            assert word.endswith(":q}") or word in OURS, f"{path.name}: {word} is not quoted (:q)"
