"""Small data sets on disk, and the workflow on them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from trainings import write_preprocessed

ROOT = Path(__file__).parent.parent
MODALITIES = ("flair", "t1", "t1ce", "t2")

# The smallest study that trains: seconds, not minutes.
TINY = {
    "preprocess": {"spacing_mm": 1.0, "crop": "brain", "normalization": "zscore", "min_tumor_percent": 0.0},
    "split": {"folds": 1, "test_percent": 25},
    "train": {
        "filters": [4, 8],
        "patch": [16, 16, 16],
        "epochs": 2,
        "steps_per_epoch": 2,
        "warmup_steps": 1,
        "monitor_subjects": 1,
        "monitor_every": 1,
    },
    "summarize": {"bootstrap": 50},
}


# How a scan is preprocessed by itself, as the tiny study does it.
SETTINGS = {"modalities": list(MODALITIES), "labels": "brats2020", "missing": "exclude", "forced": False}
SETTINGS |= TINY["preprocess"]


def tiny_subject(number: int, shape=(40, 44, 36)) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images (int16) and mask (0, 1, 2, 4) of a ball of brain with a tumor of three shells, anew for each number."""
    random = np.random.default_rng(number)
    grid = np.stack(np.meshgrid(*[np.arange(size) for size in shape], indexing="ij"), -1)
    brain = np.linalg.norm((grid - np.array(shape) / 2) / (np.array(shape) / 2 - 4), axis=-1) < 1
    distance = np.linalg.norm(grid - np.array(shape) / 2 - random.uniform(-4, 4, 3), axis=-1)
    mask = np.zeros(shape, np.uint8)
    for radius, value in ((9, 2), (6, 4), (3 + number % 3, 1)):
        mask[distance < radius] = value
    means = {
        "flair": (300, 700, 650, 500),
        "t1": (400, 300, 350, 200),
        "t1ce": (400, 300, 900, 250),
        "t2": (300, 600, 550, 700),
    }
    images = {}
    for name, (healthy, edema, enhancing, necrosis) in means.items():
        image = np.select([mask == 2, mask == 4, mask == 1], [edema, enhancing, necrosis], healthy)
        images[name] = np.where(brain, image + random.normal(0, 20, shape), 0).astype(np.int16)
    return images, mask


def write_subject(folder: Path, number: int, affine=None, ending=".nii.gz") -> Path:
    """Write a tiny subject as BraTS lays it out; returns its folder."""
    subject = folder / f"case_{number:02d}"
    subject.mkdir(parents=True)
    images, mask = tiny_subject(number)
    for name, volume in [*images.items(), ("seg", mask)]:
        image = nib.Nifti1Image(volume, np.diag([-1.0, -1, 1, 1]) if affine is None else affine)
        nib.save(image, subject / f"{subject.name}_{name}{ending}")
    return subject


def resave(path: Path, change=lambda voxels: voxels, affine=None) -> None:
    """Replace a NIfTI file by one with changed voxels or another affine."""
    image = nib.load(path)
    affine = image.affine if affine is None else affine
    nib.save(nib.Nifti1Image(change(np.asarray(image.dataobj).copy()), affine), path)


@pytest.fixture
def cohort_folder(tmp_path):
    """Twelve tiny subjects, case_01 to case_12."""
    for number in range(1, 13):
        write_subject(tmp_path / "data", number)
    return tmp_path / "data"


class Workflow:
    """The project's workflow in a folder of its own, with a study's settings."""

    def __init__(self, folder: Path, settings: dict):
        self.folder = folder
        for name in ("Snakefile", "config.yaml", "rules", "scripts", "envs", "profiles", "presets"):
            (folder / name).symlink_to(ROOT / name)
        self.environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        self.settings = folder / "settings.yaml"
        self.settings.write_text(yaml.safe_dump({"results": "results", **settings}))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *words, "--configfile", str(self.settings)]

    def run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*words), cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=600
        )

    def __truediv__(self, name: str) -> Path:
        return self.folder / "results" / name


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
    """The folder of real patients, named by the environment variable GLIOSEG_CASES; never part of the project."""
    folder = os.environ.get("GLIOSEG_CASES")
    if not folder or not Path(folder).is_dir():
        pytest.skip("GLIOSEG_CASES names no folder of real cases")
    return Path(folder)


@pytest.fixture(scope="session")
def preprocessed(tmp_path_factory):
    """A folder as preprocess and split leave it, of four subjects."""
    return write_preprocessed(tmp_path_factory.mktemp("preprocessed"))
