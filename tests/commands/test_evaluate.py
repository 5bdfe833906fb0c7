"""Test the command `evaluate` on small label maps."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from evaluate import evaluate
from glioseg.evaluate.calibration import expected_error
from glioseg.evaluate.metrics import CLASS_METRICS, METRICS


def test_evaluate_bins_a_map_on_the_grid_of_the_scan(tmp_path):
    mask = labels()
    truth, prediction = save(tmp_path / "t.nii.gz", mask), save(tmp_path / "p.nii.gz", mask)
    assert run(tmp_path, prediction, truth).exit_code == 0
    assert json.loads((tmp_path / "new/scores.json").read_text())["calibration"] == {}
    # Bytes with a scale factor, as maps are stored: 191 of 255 in the tumor, 0 elsewhere.
    image = nib.Nifti1Image(((mask > 0) * 191).astype(np.uint8), nib.load(truth).affine)
    image.header.set_slope_inter(1 / 255, 0)
    nib.save(image, tmp_path / "WT.nii.gz")
    result = run(tmp_path, prediction, truth, more=["--probability", "WT", tmp_path / "WT.nii.gz"])
    assert result.exit_code == 0, result.output
    bins = json.loads((tmp_path / "new/scores.json").read_text())["calibration"]["WT"]
    tumor = int((mask > 0).sum())
    assert bins["true"] == [0] * 7 + [tumor] + [0] * 2 and bins["voxels"][0] == mask.size - tumor
    assert expected_error(bins) == pytest.approx(1 - 191 / 255, abs=1e-6)
    result = run(tmp_path, prediction, truth, more=["--probability", "WT", save(tmp_path / "x.nii.gz", mask[1:])])
    assert result.exit_code == 1
    assert "phantom_001: " in result.output and "predict this subject again" in result.output


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


def run(
    folder: Path,
    prediction: Path,
    truth: Path,
    dialect: str = "brats2020",
    volume: int = 0,
    forced: bool = False,
    more: tuple = (),
) -> Result:
    arguments = ["--subject", "phantom_001", "--prediction", prediction, "--truth", truth, volume]
    arguments += ["--labels", dialect, "--forced", forced, "--output", folder / "new" / "scores.json"]
    return CliRunner().invoke(evaluate, [str(argument) for argument in [*arguments, *more]])


def test_scores_are_written(tmp_path: Path) -> None:
    predicted = labels()
    predicted[2:4, 2, 1:3] = 4  # all necrosis is predicted as enhancing tumor: 4 voxels more than the true 8
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
    assert set(scores["classes"]) == {"necrosis", "edema", "enhancing"}
    assert set(scores["classes"]["edema"]) == {*CLASS_METRICS, "truth_ml", "predicted_ml"}
    assert scores["classes"]["edema"]["dice"] == 1 and scores["classes"]["necrosis"]["dice"] == 0
    assert scores["classes"]["enhancing"] == {
        name: scores["regions"]["ET"][name] for name in scores["classes"]["edema"]
    }
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["scores.json"]


def test_an_affine_rounded_to_single_precision_is_the_same_grid(tmp_path: Path) -> None:
    nearly = AFFINE + 1e-5
    nearly[3] = AFFINE[3]
    truth = save(tmp_path / "t.nii.gz", labels())
    assert run(tmp_path, save(tmp_path / "p.nii.gz", labels(), nearly), truth).exit_code == 0


@pytest.mark.parametrize("other", ["shape", "affine"])
def test_another_grid_is_rejected(tmp_path: Path, other: str) -> None:
    truth = save(tmp_path / "t.nii.gz", labels())
    affine = AFFINE.copy()
    affine[0, 3] += 1 if other == "affine" else 0
    prediction = save(tmp_path / "p.nii.gz", labels()[:, :, : 3 if other == "shape" else 4], affine)
    result = run(tmp_path, prediction, truth)
    assert result.exit_code == 1
    assert f"phantom_001: {prediction} is not on the grid of {truth} (" in result.output
    assert ("6x5x3" if other == "shape" else "by up to 1 mm") in result.output
    assert not (tmp_path / "new").exists()


def test_unknown_label_values_are_rejected_with_their_file(tmp_path: Path) -> None:
    wrong = labels()
    wrong[0, 0, 0] = 3
    result = run(tmp_path, save(tmp_path / "p.nii.gz", wrong), save(tmp_path / "t.nii.gz", labels()))
    assert result.exit_code == 1
    assert "phantom_001: " in result.output and "p.nii.gz cannot be scored: the mask holds 3" in result.output


def test_files_that_are_not_label_maps_are_rejected(tmp_path: Path) -> None:
    truth = save(tmp_path / "t.nii.gz", labels())
    (tmp_path / "text.nii.gz").write_text("not an image")
    (tmp_path / "cut.nii.gz").write_bytes(truth.read_bytes()[:-40])
    four = save(tmp_path / "four.nii.gz", np.stack([labels()] * 2, axis=-1))
    for path, words in (
        (tmp_path / "text.nii.gz", "cannot be scored"),
        (tmp_path / "cut.nii.gz", "cannot be scored"),
    ):
        result = run(tmp_path, path, truth)
        assert result.exit_code == 1 and f"{path}" in result.output and words in result.output
    result = run(tmp_path, truth, four, volume=2)
    assert result.exit_code == 1 and f"{four} cannot be scored" in result.output and "index 2" in result.output


def test_the_truth_may_be_one_volume_of_several(tmp_path: Path) -> None:
    prediction = save(tmp_path / "p.nii.gz", labels())
    four = save(tmp_path / "four.nii.gz", np.stack([np.zeros_like(labels()), labels()], axis=-1))
    for volume, dice in ((0, 0), (1, 1)):
        result = run(tmp_path, prediction, four, volume=volume)
        assert result.exit_code == 0, result.output
        assert json.loads((tmp_path / "new" / "scores.json").read_text())["regions"]["WT"]["dice"] == dice


def test_a_subject_with_forced_inclusion_is_scored(tmp_path: Path) -> None:
    """Its mask has other axes than the images, an unknown label value and a shifted origin."""
    turned = AFFINE @ np.array([[0, -1, 0, 5], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    # The mask's axes: the third of the images, the first one reversed, and the second one.
    voxels = np.ascontiguousarray(labels()[::-1].transpose(2, 0, 1))
    voxels[0, 0, 0] = 77
    turned[0, 3] += 3
    prediction, truth = save(tmp_path / "p.nii.gz", labels()), save(tmp_path / "t.nii.gz", voxels, turned)
    assert run(tmp_path, prediction, truth).exit_code == 1
    result = run(tmp_path, prediction, truth, forced=True)
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "new" / "scores.json").read_text())
    assert {name: region["dice"] for name, region in scores["regions"].items()} == {"WT": 1, "TC": 1, "ET": 1}
    assert scores["regions"]["WT"]["hd95_mm"] == 0 and scores["spacing_mm"] == [1, 1, 2]


@pytest.mark.parametrize(
    ("dialect", "necrosis", "edema", "enhancing", "other", "regions"),
    [
        ("brats2013", 3, 2, 4, 1, {"WT": 1, "TC": 1, "ET": 1}),
        ("brats2023", 1, 2, 3, 2, {"WT": 1, "TC": 1, "ET": 1}),
        ("msd", 2, 1, 3, 1, {"WT": 1, "TC": 1, "ET": 1}),
        ("brats2024-ped", 2, 4, 1, 3, {"WT": 1, "TC": 1, "ET": 1}),
        ("brats2024", 1, 2, 3, 4, {"WT": 1, "TC": 1, "ET": 1, "RC": 0}),
    ],
)
def test_regions_are_those_of_the_dialect(
    tmp_path: Path, dialect: str, necrosis: int, edema: int, enhancing: int, other: int, regions: dict
) -> None:
    table = np.array([0, necrosis, edema, 0, enhancing], np.uint8)
    truth, prediction = table[labels()], table[labels()]
    # One voxel of the dialect's other label; predicted as another label of the same region, or not at all.
    inside = np.argwhere(labels() == (2 if other == edema else 1))[0]
    if dialect == "brats2024":
        truth[0, 0, 0] = other
    else:
        truth[tuple(inside)] = other
    result = run(tmp_path, save(tmp_path / "p.nii.gz", prediction), save(tmp_path / "t.nii.gz", truth), dialect)
    assert result.exit_code == 0, result.output
    scores = json.loads((tmp_path / "new" / "scores.json").read_text())["regions"]
    assert {name: region["dice"] for name, region in scores.items()} == regions


def test_a_missing_file_and_an_unknown_dialect_are_rejected(tmp_path: Path) -> None:
    truth = save(tmp_path / "t.nii.gz", labels())
    assert "does not exist" in run(tmp_path, tmp_path / "none.nii.gz", truth).output
    result = CliRunner().invoke(evaluate, ["--labels", "brats1999"])
    assert result.exit_code == 2 and "'brats2020'" in result.output
