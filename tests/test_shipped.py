"""A model trained on phantoms whose contrast is drawn for each patch: `make model` in small."""

import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from studies import ROOT, TINY, write_subject
from trainings import weights

import export
import segment
from glioseg.volumes.nifti import read_volume

PRESET = yaml.safe_load((ROOT / "presets/model.yaml").read_text())
# What `make model` asks Snakemake for, and how it exports the study.
TARGET, STUDY, EXPORTED = re.search(
    r"^model:.*\n\tsnakemake (\S+) .*\n\tpython scripts/export\.py (\S+) (.*) --output models/glioseg\.zip$",
    (ROOT / "Makefile").read_text(),
    re.MULTILINE,
).groups()


@pytest.fixture
def tiny(workflow):
    """The study of presets/model.yaml, with few phantoms and few steps."""
    train = {name: value for name, value in PRESET["train"].items() if name not in TINY["train"]}
    return workflow("phantoms", synthesize=PRESET["synthesize"] | {"subjects": 4}, train=train | TINY["train"])


def test_the_way_of_the_model_gives_the_same_bits_twice(tiny):
    trained = []
    for _ in range(2):
        (tiny / "train/all/model.keras").unlink(missing_ok=True)
        done = tiny.run(TARGET)
        assert done.returncode == 0, done.stdout + done.stderr
        trained.append(weights(tiny / "train/all/model.keras"))
        maps = np.load(tiny / "preprocess/phantom_001/tissues.npy", mmap_mode="r")
        assert maps.shape[:3] == np.load(tiny / "preprocess/phantom_001/mask.npy", mmap_mode="r").shape
        # The masks are those of the maps: necrosis, edema and enhancing tumor, whose borders may be faint.
        mask = np.load(tiny / "preprocess/phantom_002/mask.npy")
        tumor = np.load(tiny / "preprocess/phantom_002/tissues.npy")[..., 3:6].sum(-1, dtype=int)
        assert (tumor[mask > 0] > 20).mean() > 0.95
        assert (tumor[mask == 0] > 20).mean() < 0.02
    for first, again in zip(*trained, strict=True):
        np.testing.assert_array_equal(first, again)
    # The model of the project has the files, and the scores or none, that this way gives.
    bundle = tiny.folder / "tiny.zip"
    done = CliRunner().invoke(export.export, [str(tiny / ""), *EXPORTED.split(), "--output", str(bundle)])
    assert done.exit_code == 0, done.output
    assert PRESET["results"] == STUDY
    assert _files_and_scores(bundle) == _files_and_scores(ROOT / "models/glioseg.zip")


def _files_and_scores(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return archive.namelist(), archive.read("README.md").decode().partition("## Scores")[2].partition("##")[0]


def test_a_random_contrast_needs_phantoms(cohort_folder, workflow):
    done = workflow(cohort_folder, train={"contrast": "random"}).run("train_all", "--dry-run")
    assert done.returncode == 1
    assert "train: contrast: random needs the tissue maps of phantoms, found data:" in done.stdout + done.stderr


def test_healthy_phantoms_are_kept(tiny):
    done = tiny.run("prepare", "--dry-run", "--printshellcmds")
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("--forced True") == 4


def test_a_data_set_may_lack_modalities_that_the_model_learned_to_miss(tmp_path, workflow):
    for number in (1, 2):
        write_subject(tmp_path / "data", number)
    models = str(ROOT / "models/glioseg.zip")
    settings = {"models": models, "modalities": ["flair", "t1", "t1ce", "t2"], "preprocess": {}}
    done = workflow(tmp_path / "data", **settings).run("predict_all", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("variable", "least"), [("GLIOSEG_CASES", 0.83), ("GLIOSEG_CASES2021", 0.75)])
def test_the_model_of_the_project_segments_patients_that_it_never_saw(tmp_path, variable, least):
    folder = os.environ.get(variable)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"{variable} is not a folder of real cases")
    dice = []
    for subject in sorted(path for path in Path(folder).iterdir() if path.is_dir()):
        output = tmp_path / f"{subject.name}.nii.gz"
        done = CliRunner().invoke(segment.segment, ["--subject", str(subject), "--output", str(output)])
        assert done.exit_code == 0, done.output
        assert "no diagnosis" in done.stderr
        (truth,) = subject.glob("*seg*")
        tumor, true = (read_volume(path)[0] > 0 for path in (output, truth))
        dice.append(2 * (tumor & true).sum() / (tumor.sum() + true.sum()))
    assert np.mean(dice) > least, dice
    again = tmp_path / "again.nii.gz"
    done = CliRunner().invoke(segment.segment, ["--subject", str(subject), "--output", str(again)])
    assert done.exit_code == 0 and again.read_bytes() == output.read_bytes()
