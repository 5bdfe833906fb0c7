"""The command `evaluate`, run on small label maps."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluate import evaluate
from glioseg.metrics import METRICS

AFFINE = np.diag([-1.0, -1.0, 2.0, 1.0])
AFFINE[:3, 3] = [10, 239, 0.1]


def save(path: Path, labels: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    nib.save(nib.Nifti1Image(labels, affine), path)
    return path


def labels() -> np.ndarray:
    array = np.zeros((6, 5, 4), np.uint8)
    array[1:5, 1:4, 1:3] = 2
    array[2:4, 1:4, 1:3] = 4
    array[2:4, 2, 1:3] = 1
    return array


def run(folder: Path, prediction: Path, truth: Path) -> Result:
    arguments = ["--subject", "phantom_001", "--prediction", prediction, "--truth", truth]
    arguments += ["--labels", "brats2020", "--output", folder / "new" / "scores.json"]
    return CliRunner().invoke(evaluate, [str(argument) for argument in arguments])


def test_scores_are_written(tmp_path: Path) -> None:
    predicted = labels()
    predicted[2:4, 2, 1:3] = 4  # all necrosis taken for enhancing tumor: 4 voxels on top of 8
    result = run(
        tmp_path, save(tmp_path / "p.nii.gz", predicted), save(tmp_path / "t.nii", labels().astype(np.float32))
    )
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "new" / "scores.json").read_text())
    assert scores["subject"] == "phantom_001" and scores["spacing_mm"] == [1, 1, 2]
    assert set(scores["regions"]) == {"WT", "TC", "ET"}
    assert set(scores["regions"]["WT"]) == {*METRICS, "truth_ml", "predicted_ml"}
    assert scores["regions"]["WT"]["dice"] == scores["regions"]["TC"]["dice"] == 1
    assert scores["regions"]["ET"]["dice"] == pytest.approx(2 * 8 / (8 + 12))
    assert scores["regions"]["ET"]["truth_ml"] == pytest.approx(0.016)
    assert scores["regions"]["ET"]["predicted_ml"] == pytest.approx(0.024)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["scores.json"]


def test_an_affine_that_lost_single_precision_is_the_same_grid(tmp_path: Path) -> None:
    nearly = AFFINE + 1e-5
    nearly[3] = AFFINE[3]
    truth = save(tmp_path / "t.nii.gz", labels())
    assert run(tmp_path, save(tmp_path / "p.nii.gz", labels(), nearly), truth).exit_code == 0


@pytest.mark.parametrize("other", ["shape", "affine"])
def test_another_grid_is_refused(tmp_path: Path, other: str) -> None:
    truth = save(tmp_path / "t.nii.gz", labels())
    affine = AFFINE.copy()
    affine[0, 3] += 1 if other == "affine" else 0
    prediction = save(tmp_path / "p.nii.gz", labels()[:, :, : 3 if other == "shape" else 4], affine)
    result = run(tmp_path, prediction, truth)
    assert result.exit_code == 1
    assert "phantom_001: expected truth and prediction on one grid, found" in result.output
    assert ("(6, 5, 3)" if other == "shape" else "11.0") in result.output
    assert not (tmp_path / "new").exists()


def test_unknown_label_values_are_refused_with_their_file(tmp_path: Path) -> None:
    wrong = labels()
    wrong[0, 0, 0] = 3
    result = run(tmp_path, save(tmp_path / "p.nii.gz", wrong), save(tmp_path / "t.nii.gz", labels()))
    assert result.exit_code == 1
    assert "phantom_001: " in result.output and "p.nii.gz cannot be scored: the mask holds 3" in result.output


def test_files_that_are_no_label_maps_are_refused(tmp_path: Path) -> None:
    truth = save(tmp_path / "t.nii.gz", labels())
    (tmp_path / "text.nii.gz").write_text("nothing of the kind")
    (tmp_path / "cut.nii.gz").write_bytes(truth.read_bytes()[:-40])
    four = save(tmp_path / "four.nii.gz", np.stack([labels()] * 2, axis=-1))
    for path, words in (
        (tmp_path / "text.nii.gz", "cannot be scored"),
        (tmp_path / "cut.nii.gz", "cannot be scored"),
        (four, "holds an array of shape (6, 5, 4, 2); expected one 3-D volume"),
    ):
        result = run(tmp_path, path, truth)
        assert result.exit_code == 1 and f"{path}" in result.output and words in result.output


def test_a_missing_file_and_an_unknown_dialect_are_refused(tmp_path: Path) -> None:
    truth = save(tmp_path / "t.nii.gz", labels())
    assert "does not exist" in run(tmp_path, tmp_path / "none.nii.gz", truth).output
    result = CliRunner().invoke(evaluate, ["--labels", "brats1999"])
    assert result.exit_code == 2 and "'brats2020'" in result.output
