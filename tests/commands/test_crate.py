"""The command `crate`: the files of a run, described so that archives find what they are."""

import hashlib
import json
import shutil
import subprocess

import pytest
from click.testing import CliRunner

import crate

CONFIG = {
    "data": ["/data/a", {"folder": "/data/b"}],
    "modalities": ["flair", "t1ce"],
    "report": {"title": "Our study", "model": False},
}


def described(results, **changes):
    output = results / "ro-crate-metadata.json"
    options = ["--results", results, "--config", json.dumps(CONFIG | changes), "--output", output]
    done = CliRunner().invoke(crate.crate, [str(option) for option in options])
    assert done.exit_code == 0, done.output
    content = json.loads(output.read_text())
    return {entity["@id"]: entity for entity in content["@graph"]}


def test_each_file_is_described_with_its_hash(tmp_path):
    files = [
        "report/index.html",
        "summarize/scores.tsv",
        "predict/a.nii.gz",
        "train/all/model.keras",
        "plot/scores.svg",
    ]
    for name in (*files, "logs/report.log", "preprocess/a/image.npy"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    entities = described(tmp_path)
    assert [name for name, entity in entities.items() if entity["@type"] == "File"] == [
        "report/index.html",
        "summarize/scores.tsv",
        "predict/a.nii.gz",
        "train/all/model.keras",
        "plot/scores.svg",
    ]
    for name in files:
        assert entities[name]["sha256"] == hashlib.sha256(name.encode()).hexdigest()
        assert entities[name]["contentSize"] == str(len(name))
    assert entities["./"]["name"] == "Our study"
    assert (
        [part["@id"] for part in entities["./"]["hasPart"]] == files == [r["@id"] for r in entities["#run"]["result"]]
    )
    assert entities["#data"]["name"] == "Scans: /data/a, /data/b; flair, t1ce"
    assert json.loads(entities["#config"]["value"]) == CONFIG


def test_the_page_that_segments_scans_is_described_if_the_report_has_it(tmp_path):
    for name in ("report/index.html", "report/segment.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    entities = described(tmp_path, report={"title": "", "model": True})
    page = entities["report/segment.html"]
    assert page["encodingFormat"] == "text/html" and "segments scans" in page["description"]
    assert {"@id": "report/segment.html"} in entities["./"]["hasPart"]
    # The page of an earlier run stays where it is.
    assert "report/segment.html" not in described(tmp_path)


def test_the_validator_of_ro_crate_finds_no_mistake(tmp_path):
    validator = shutil.which("rocrate-validator")
    if not validator:
        pytest.skip("rocrate-validator (package roc-validator) is not on the PATH")
    for name in ("report/index.html", "report/segment.html", "predict/a.nii.gz", "train/all/model.keras"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    described(tmp_path, report={"title": "", "model": True})
    words = ["--disable-color", "-y", "validate", "--offline", "--no-paging", "-p", "process-run-crate"]
    done = subprocess.run([validator, *words, "-l", "required", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_reference_leads_to_an_entity(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report/index.html").write_text("")
    entities = described(tmp_path, report={"title": "", "model": False})
    assert entities["./"]["name"] == "Brain tumor segmentation"

    def references(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else ()
            value = list(value.values())
        if isinstance(value, list):
            for one in value:
                yield from references(one)

    outside = {"https://w3id.org/ro/crate/1.1"}
    found = {name for entity in entities.values() for name in references(list(entity.values()))}
    assert found - outside <= set(entities) and "#run" in found
