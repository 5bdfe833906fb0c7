"""Small data sets on disk, and the workflow that runs on them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import yaml

from glioseg.files import write_table
from glioseg.preprocess.scan import preprocess_scan
from glioseg.workflow.failures import FAILURE_COLUMNS

ROOT = Path(__file__).parent.parent
MODALITIES = ("flair", "t1", "t1ce", "t2")

# A study that trains within seconds.
TINY = {
    "preprocess": {"spacing_mm": 1.0, "crop": "brain", "normalization": "zscore", "min_tumor_percent": 0.0},
    "split": {"folds": 1, "test_percent": 25},
    "train": {
        "filters": [4, 8],
        "patch": [16, 16, 16],
        "epochs": 2,
        "steps_per_epoch": 2,
        "warmup_steps": 1,
        "validation_subjects": 1,
        "validation_every": 1,
    },
    "summarize": {"bootstrap": 50},
}


# Settings to preprocess a single scan like the tiny study.
SETTINGS = {"modalities": list(MODALITIES), "labels": "brats2020", "missing": "exclude", "forced": False}
SETTINGS |= TINY["preprocess"]


def tiny_subject(number: int, shape=(40, 44, 36)) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images (int16) and mask (0, 1, 2, 4) of a ball of brain with a tumor of three shells, different per number."""
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
    """Write a tiny subject in the layout of BraTS and return its folder."""
    subject = folder / f"case_{number:02d}"
    subject.mkdir(parents=True)
    images, mask = tiny_subject(number)
    for name, volume in [*images.items(), ("seg", mask)]:
        image = nib.Nifti1Image(volume, np.diag([-1.0, -1, 1, 1]) if affine is None else affine)
        nib.save(image, subject / f"{subject.name}_{name}{ending}")
    return subject


def resave(path: Path, change=lambda voxels: voxels, affine=None) -> None:
    """Overwrite a NIfTI file with changed voxels or another affine."""
    image = nib.load(path)
    affine = image.affine if affine is None else affine
    nib.save(nib.Nifti1Image(change(np.asarray(image.dataobj).copy()), affine), path)


class Workflow:
    """The workflow of this project in a separate folder, with the settings of a study."""

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


# Programs that Snakemake asks for their version, even in a dry run.
PROGRAMS = {
    "conda": 'echo \'{"conda_version": "26.7.1", "platform": "linux-64", "conda_prefix": "/opt", "channels": [],'
    ' "get": {"channel_priority": "strict"}}\'',
    "apptainer": "echo apptainer version 1.3.0",
}

# Loaded by every Python that starts with its folder on PYTHONPATH. Outside of the commands, which have environments of
# their own, the project's code may import the standard library and what Snakemake itself needs.
GUARD = """
import builtins
import sys

KNOWN = {"glioseg", "snakemake", "click", "yaml", "jsonschema", *sys.stdlib_module_names}
original = builtins.__import__


def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    # Snakemake itself may have loaded NumPy before, so that a finder of modules would not be asked again.
    importing = sys._getframe().f_back
    file = importing.f_code.co_filename if importing else ""
    ours = file.endswith((".smk", "Snakefile")) or "/scripts/glioseg/" in file
    if ours and not level and "scripts/" not in sys.argv[0] and name.partition(".")[0] not in KNOWN:
        raise ImportError(f"{file} imports {name}, which a Snakemake that is installed by itself may lack")
    return original(name, globals, locals, fromlist, level)


builtins.__import__ = guarded
"""


def guarded(run):
    """Let the Snakefile and the rules import only what a Snakemake that is installed by itself brings."""
    folder = run.folder / "guard"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(GUARD)
    run.environment["PYTHONPATH"] = str(folder)


def ledger_of(path, *rows):
    write_table(path, FAILURE_COLUMNS, [dict(zip(FAILURE_COLUMNS, row, strict=True)) for row in rows])
    return path


def failing(run, words):
    """Make jobs whose command line contains all the words end as if the kernel had killed them for lack of memory."""
    folder = run.folder / "bin"
    folder.mkdir(exist_ok=True)
    python = folder / "python"
    tests = " && ".join(f'[[ "$*" == *{word}* ]]' for word in words)
    killed = 'echo "loading"; echo "Error: out of memory"; kill -9 $$'
    python.write_text(f'#!/bin/bash\nif {tests}; then {killed}; fi\nexec "{sys.executable}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    run.environment["PATH"] = f"{folder}:{os.environ['PATH']}"
    return python


def scan_of(folder, **changes):
    """Preprocess a subject's folder in the layout of BraTS."""
    files = {path.name.removeprefix(f"{folder.name}_").split(".")[0]: (path, 0) for path in folder.iterdir()}
    mask = files.pop("seg", None)
    return preprocess_scan(folder.name, files, mask, SETTINGS | changes)


def run_predict(folder, output, *words):
    options = {"scan": folder / "scan", "labels": "brats2020", "overlap": 0.5, "runtime": "openvino"}
    options |= {"smallest-enhancing-ml": 0, "smallest-component-ml": 0, "threshold-wt": 0.5, "threshold-tc": 0.5}
    options |= {"threshold-et": 0.5, "temperature": 1, "threads": 2, "map-folder": output / "maps"}
    options |= {"uncertainty": output / "sure.json", "output": output / "seg.nii.gz"}
    options = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, ROOT / "scripts/predict.py", *options, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
