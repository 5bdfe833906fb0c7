"""Fixtures of many tests: data sets, preprocessed subjects, phantoms, and the workflow on them."""

import os
import shutil
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pictures import LPS, SHAPE
from studies import TINY, Workflow, write_subject
from trainings import write_preprocessed

from glioseg.files import COVARIATE, write_json, write_table
from glioseg.preprocess.scan import preprocess_scan
from glioseg.synthesize.phantoms import phantom


@pytest.fixture
def cohort_folder(tmp_path):
    """Twelve tiny subjects, case_01 to case_12."""
    for number in range(1, 13):
        write_subject(tmp_path / "data", number)
    return tmp_path / "data"


@pytest.fixture
def workflow(tmp_path):
    """A function that makes a `Workflow` from a data folder and settings that override the tiny study's."""

    def make(data, **settings):
        folder = tmp_path / "workflow"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        merged = {**TINY, "data": data if isinstance(data, list) else str(data), **settings}
        return Workflow(folder, merged)

    return make


@pytest.fixture
def real_cases():
    """The folder of real patients, given by the environment variable GLIOSEG_CASES; never part of the project."""
    folder = os.environ.get("GLIOSEG_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GLIOSEG_CASES is not a folder of real cases")
    return Path(folder)


@pytest.fixture
def policy():
    """A function that sets the precision of the networks that are built next."""
    import keras

    yield keras.mixed_precision.set_global_policy
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture(scope="session")
def preprocessed(tmp_path_factory):
    """A folder of four subjects as written by preprocess and split."""
    return write_preprocessed(tmp_path_factory.mktemp("preprocessed"))


@pytest.fixture
def volumes():
    """Image, brain mask and classes: a ball of brain with nested cubes of edema, necrosis and enhancing tumor."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, size) for size in SHAPE], indexing="ij"))
    brain = (grid**2).sum(axis=0) < 0.95
    classes = np.zeros(SHAPE, np.uint8)
    classes[4:13, 8:18, 6:14] = 2
    classes[6:12, 10:16, 8:12] = 1
    classes[8:11, 12:15, 9:11] = 3
    image = np.where(brain, 100 + 20 * grid[0] + 30 * classes, 0).astype(np.float32)
    return image, brain, classes


@pytest.fixture
def folder(tmp_path, volumes):
    """One preprocessed subject with its files, and a prediction shifted by one voxel."""
    image, _, classes = volumes
    values = np.array([0, 1, 2, 4], np.uint8)
    files = {name: tmp_path / f"a_{name}.nii.gz" for name in ("flair", "t1ce", "seg")}
    for name in ("flair", "t1ce"):
        nib.save(nib.Nifti1Image(image * (1 if name == "flair" else 2), LPS), files[name])
    nib.save(nib.Nifti1Image(values[classes], LPS), files["seg"])
    nib.save(nib.Nifti1Image(values[np.roll(classes, 1, axis=1)], LPS), tmp_path / "prediction.nii.gz")
    settings = {"modalities": ["flair", "t1ce"], "labels": "brats2020", "spacing_mm": 1.0, "crop": "brain"}
    settings |= {"normalization": "zscore", "min_tumor_percent": 0.0, "missing": "exclude", "forced": False}
    images = {name: (files[name], 0) for name in ("flair", "t1ce")}
    scan, arrays = preprocess_scan("a", images, (files["seg"], 0), settings)
    write_json(tmp_path / "preprocess/a/scan.json", scan)
    row = {"subject": "a"} | {name: path.name for name, path in files.items()}
    write_table(tmp_path / "subjects.tsv", list(row), [row], dict.fromkeys(row, COVARIATE))
    for name, array in arrays.items():
        np.save(tmp_path / f"preprocess/a/{name}.npy", array)
    return tmp_path


@pytest.fixture(scope="session")
def patient():
    began = time.process_time()
    made = phantom("phantom_002", 42)
    assert time.process_time() - began < 20
    return made
