"""Test the command `predict`: segmentation, maps and uncertainty on the scan's own grid, and no use of a network."""

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from studies import ROOT, run_predict

from glioseg.predict.calibrate.temperature import calibrated

# Loaded by every Python that starts with its folder on PYTHONPATH. It notes each look-up and connection, and refuses
# it: code that sends statistics may well ignore the error.
GUARD = """
import sys
from pathlib import Path

ASKING = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.connect", "socket.sendto"}


def refuse(event, arguments):
    if event in ASKING:
        with Path(__file__).with_name("asked").open("a") as file:
            file.write(f"{event} {arguments}\\n")
        raise OSError(f"no network: {event}")


sys.addaudithook(refuse)
"""
LOOK_UP = "import socket; socket.getaddrinfo('host.invalid', 443)"


def test_prediction_maps_and_uncertainty_on_the_scans_own_grid(study, tmp_path):
    folder, case = study
    models = [word for name in "01" for word in ("--model", folder / name / "model.keras")]
    maps = ("WT", "TC", "ET", "entropy", "disagreement")
    done = run_predict(folder, tmp_path, *models, "--flips", "x", *(word for name in maps for word in ("--maps", name)))
    assert done.returncode == 0, done.stderr
    assert "ml of tumor" in done.stdout and "uncertainty" in done.stdout
    scan = nib.load(case / f"{case.name}_flair.nii.gz")
    found = {name: nib.load(tmp_path / f"maps/{name}.nii.gz") for name in maps}
    for image in (nib.load(tmp_path / "seg.nii.gz"), *found.values()):
        assert image.shape == scan.shape
        assert (image.affine == scan.affine).all()
    values = {name: np.asarray(image.dataobj) for name, image in found.items()}
    assert (values["ET"] <= values["TC"] + 0.01).all() and (values["TC"] <= values["WT"] + 0.01).all()
    assert (values["disagreement"] <= values["entropy"] + 0.01).all()
    assert values["entropy"].max() > 0.1 and values["disagreement"].max() > 0
    predicted = np.asarray(nib.load(tmp_path / "seg.nii.gz").dataobj)
    assert set(np.unique(predicted)) <= {0, 1, 2, 4}
    # Where WT is unlikely, no tumor is predicted.
    assert not predicted[values["WT"] < 0.24].any()
    written = json.loads((tmp_path / "sure.json").read_text())
    assert written["models"] == 2 and written["subject"] == case.name and 0 <= written["uncertainty"] <= 1


def test_a_temperature_changes_the_maps_and_the_uncertainty_but_no_segmentation(study, tmp_path):
    folder, _ = study
    words = ["--model", folder / "0" / "model.keras", "--maps", "WT", "--maps", "entropy"]
    for name, temperature in (("before", 1), ("after", 2)):
        done = run_predict(folder, tmp_path / name, *words, "--temperature", temperature)
        assert done.returncode == 0, done.stderr
    paths = ("seg.nii.gz", "maps/entropy.nii.gz", "maps/WT.nii.gz")
    before, after = (
        [np.asarray(nib.load(tmp_path / name / path).dataobj) for path in paths] for name in ("before", "after")
    )
    assert (before[0] == after[0]).all() and (before[1] == after[1]).all()
    assert after[2] == pytest.approx(calibrated(before[2].astype(np.float32), 2), abs=0.02)
    assert (before[2] != after[2]).any()
    sure = [json.loads((tmp_path / name / "sure.json").read_text())["expected_dice"] for name in ("before", "after")]
    assert sure[0] != sure[1]


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The file in which Python programs that the test starts note what they ask the network."""
    folder = tmp_path / "guard"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(GUARD)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    # It is indeed guarded: a look-up fails and is noted.
    done = subprocess.run([sys.executable, "-c", LOOK_UP], capture_output=True, text=True)
    assert "no network: socket.getaddrinfo" in done.stderr
    assert "host.invalid" in (folder / "asked").read_text()
    (folder / "asked").unlink()
    return folder / "asked"


def test_predict_and_segment_ask_no_host(study, tmp_path, asked):
    folder, case = study
    model = ["--model", folder / "0" / "model.keras"]
    predicted = run_predict(folder, tmp_path, *model)
    assert predicted.returncode == 0, predicted.stderr
    assert "(openvino)" in predicted.stdout
    words = [*model, "--subject", case, "--runtime", "openvino", "--output", tmp_path / "alone.nii.gz"]
    command = [sys.executable, ROOT / "scripts/segment.py", *map(str, words)]
    segmented = subprocess.run(command, capture_output=True, text=True)
    assert segmented.returncode == 0, segmented.stderr
    assert not asked.exists(), asked.read_text()


def test_a_scan_that_a_model_learned_from_is_not_predicted(study, tmp_path):
    folder, case = study
    for name in ("model.keras", "settings.json"):
        (tmp_path / name).write_bytes((folder / "0" / name).read_bytes())
    facts = json.loads((tmp_path / "settings.json").read_text())
    hashes = json.loads((folder / "scan/scan.json").read_text())["hashes"]
    model = ("--model", tmp_path / "model.keras")
    (tmp_path / "settings.json").write_text(json.dumps(facts | {"hashes": {"start/b": {"t2": hashes["t2"]}}}))
    done = run_predict(folder, tmp_path, *model)
    assert done.returncode == 1
    assert f"model.keras learned from {case.name}, as its training subject start/b; its scores" in done.stderr
    assert not (tmp_path / "seg.nii.gz").exists()
    (tmp_path / "settings.json").write_text(json.dumps(facts | {"hashes": {"start/b": {"t2": "another"}}}))
    assert run_predict(folder, tmp_path, *model).returncode == 0
