"""onnxruntime-web: which version is asked for, and what is said if it is missing."""

import json
import re
import shlex

import pytest
from studies import ROOT

from glioseg.report.segmenter.runtime import PACKAGES, insist_on_runtime, onnxruntime_web

MODULE = "var a=import.meta.url,b={},c=1;export{b as InferenceSession,a as Tensor,c as default,b as env};\n//# x.map\n"


def install(folder, version):
    """Write a package.json that asks for version 1.2.3, and an installed package of a version."""
    (folder / "package.json").write_text(json.dumps({"dependencies": {"onnxruntime-web": "1.2.3"}}))
    package = folder / "node_modules/onnxruntime-web"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"version": version}))
    (package / "dist/ort.wasm.bundle.min.mjs").write_text(MODULE)
    (package / "dist/ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm")


def test_the_module_becomes_a_plain_script(tmp_path):
    install(tmp_path, "1.2.3")
    code, wasm, version = onnxruntime_web(tmp_path)
    assert (wasm, version) == (b"\0asm", "1.2.3")
    assert "import.meta" not in code and "export" not in code
    assert "return {InferenceSession: b, Tensor: a, env: b};" in code


@pytest.mark.parametrize("version", [None, "1.2.2"], ids=["missing", "another version"])
def test_a_missing_package_says_what_to_type(version, tmp_path):
    folder = tmp_path / "with space"
    folder.mkdir()
    install(folder, version or "")
    if version is None:
        (folder / "node_modules/onnxruntime-web/package.json").unlink()
    with pytest.raises(ValueError) as raised:
        insist_on_runtime(folder)
    sentence = str(raised.value)
    assert f"needs onnxruntime-web 1.2.3 in {folder}, found {version or 'none'}; type: npm ci" in sentence
    assert shlex.split(sentence.partition("type: ")[2])[-2:] == ["--prefix", str(folder)]


def test_the_lock_pins_every_package_by_its_hash_and_names_no_host():
    assert PACKAGES == ROOT / "envs/npm"
    text = (PACKAGES / "package-lock.json").read_text()
    wanted = json.loads((PACKAGES / "package.json").read_text())["dependencies"]
    packages = json.loads(text)["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert packages["node_modules/onnxruntime-web"]["version"] == wanted["onnxruntime-web"]
    assert all(re.fullmatch(r"sha512-[\w+/]{86}==", package["integrity"]) for package in packages.values())
    assert not re.search(r"https?:", text)
