"""Small arrays with scores known by hand, and scores by the challenge's own code for other arrays."""

from importlib.resources import files

import nibabel as nib
import numpy as np
import pytest

from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.region_pair import Pair

EMPTY = np.zeros((4, 4, 4), bool)
ONE_MM = (1.0, 1.0, 1.0)


def score(metric: str, truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple = ONE_MM) -> float:
    return METRICS[metric].compute(Pair(truth, prediction, spacing_mm, truth.size))


def line(*filled: int, length: int = 10) -> np.ndarray:
    """Return a row of voxels along the first axis of a 3-D array, True at the given positions."""
    mask = np.zeros((length, 1, 1), bool)
    mask[list(filled)] = True
    return mask


def voxel(*position: int) -> np.ndarray:
    mask = EMPTY.copy()
    mask[position] = True
    return mask


def by_the_challenge(classes: tuple[np.ndarray, np.ndarray], folder, monkeypatch) -> dict[str, dict]:
    """Return region (lower case) -> scores by PyPI's brats-evaluation, the challenge's own code."""
    reason = "brats-evaluation is not installed; it is in the test environment."
    challenge = pytest.importorskip("brats_evaluation.evaluation", reason=reason)
    panoptica = pytest.importorskip("panoptica", reason=reason)
    monkeypatch.setenv("PANOPTICA_CITATION_REMINDER", "false")
    for name, volume in zip(("truth.nii.gz", "prediction.nii.gz"), classes, strict=True):
        nib.save(nib.Nifti1Image(volume, np.eye(4)), folder / name)
    config = str(files("brats_evaluation").joinpath("configs", "config_gli.yaml"))
    evaluator = panoptica.Panoptica_Evaluator.load_from_config(config)
    return challenge.evaluate_single_exam(
        str(folder / "prediction.nii.gz"), str(folder / "truth.nii.gz"), "phantom", evaluator
    )


# Six voxels: two in the lowest bin (one of them true), two at 0.25 (one true), one at 0.75 and one at 1 (both true).
PROBABILITIES = np.array([0, 0.005, 0.25, 0.25, 0.75, 1], np.float32).reshape(1, 2, 3)
TRUTH = np.array([0, 1, 0, 1, 1, 1], bool).reshape(1, 2, 3)


TISSUES = ("background", "necrosis", "edema", "enhancing")
