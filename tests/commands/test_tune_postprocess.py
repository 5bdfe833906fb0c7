"""Test that the command `tune_postprocess` chooses the size that raises the Dice of held-out subjects."""

import json

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

import postprocess
import tune_postprocess
from glioseg.files import read_table, write_table
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.volumes.nifti import write_map

AFFINE = np.diag([10.0, 10, 10, 1])  # a voxel is 1 ml


def write(folder, name, fold):
    """A subject whose truth is 8 ml of edema, and whose prediction has another 1 ml that is wrong."""
    truth = np.zeros((8, 8, 8), np.uint8)
    truth[1:3, 1:3, 1:3] = 2
    predicted = truth.copy()
    predicted[6, 6, 6] = 2
    for path, voxels in ((folder / f"{name}_seg.nii.gz", truth), (folder / f"raw/{name}.nii.gz", predicted)):
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(voxels, AFFINE), path)
    (folder / name).mkdir()
    (folder / name / "scan.json").write_text(json.dumps({"labels": "brats2020", "spacing_mm": [10, 10, 10]}))
    return {"subject": name, "patient": name, "verdict": "included", "fold": fold, "has_mask": "yes"}


def list_files(folder, rows):
    lines = ["subject\tseg", *(f"{row['subject']}\t{row['subject']}_seg.nii.gz" for row in rows)]
    (folder / "subjects.tsv").write_text("\n".join(lines) + "\n")


def test_the_size_is_chosen_on_the_subjects_of_the_other_folds(tmp_path):
    rows = [write(tmp_path, name, fold) for name, fold in (("a", "0"), ("b", "0"), ("c", "1"), ("d", "test"))]
    write_table(tmp_path / "cohort.tsv", COHORT_COLUMNS, rows)
    list_files(tmp_path, rows)

    def tuned(fold):
        words = ["--fold", fold, "--cohort", tmp_path / "cohort.tsv", "--preprocess", tmp_path]
        words += ["--subjects", tmp_path / "subjects.tsv"]
        words += ["--predictions", tmp_path / "raw", "--configured", 0, 0]
        words += ["--configured-regions", 0.5, 0.5, 0.5, "--configured-temperature", 1, "--smallest-enhancing-ml", 0]
        words += ["--smallest-component-ml", 0.5, "--smallest-component-ml", 2]
        words += ["--table", tmp_path / "tried.tsv", "--output", tmp_path / "chosen.json"]
        done = CliRunner().invoke(tune_postprocess.tune_postprocess, list(map(str, words)))
        assert done.exit_code == 0, done.output
        return json.loads((tmp_path / "chosen.json").read_text()), read_table(tmp_path / "tried.tsv")

    chosen, tried = tuned("1")
    assert chosen["subjects"] == ["a", "b"], "neither of the fold itself nor of the test set"
    assert (chosen["smallest_enhancing_ml"], chosen["smallest_component_ml"]) == (0, 2)
    # Dice of WT: 2 * 8 / (8 + 9) with the wrong voxel, 1 without; TC and ET are absent from both, which is 1.
    dice = {float(row["smallest_component_ml"]): float(row["WT"]) for row in tried}
    assert dice == {0: pytest.approx(16 / 17, abs=5e-5), 0.5: pytest.approx(16 / 17, abs=5e-5), 2: 1}
    assert [row["gain"] for row in tried if row["chosen"]] == [f"{(1 - 16 / 17) / 3:+.4f}"]
    assert tuned("all")[0]["subjects"] == ["a", "b", "c"]


def test_thresholds_of_regions_are_chosen_and_applied(tmp_path):
    rows = [write(tmp_path, name, fold) for name, fold in (("a", "0"), ("b", "1"))]
    write_table(tmp_path / "cohort.tsv", COHORT_COLUMNS, rows)
    list_files(tmp_path, rows)
    for name in ("a", "b"):
        raw = nib.load(tmp_path / f"raw/{name}.nii.gz").get_fdata()
        for region in ("WT", "TC", "ET"):
            # The wrong voxel is less likely than those of the tumor.
            values = raw / 2 if region == "WT" else 0 * raw
            values[6, 6, 6] *= 0.55
            write_map(tmp_path / f"maps/{name}/{region}.nii.gz", values, AFFINE)
    words = ["--fold", "0", "--cohort", tmp_path / "cohort.tsv", "--preprocess", tmp_path, "--maps", tmp_path / "maps"]
    words += ["--subjects", tmp_path / "subjects.tsv"]
    words += ["--predictions", tmp_path / "raw", "--configured", 0, 0, "--configured-regions", 0.5, 0.5, 0.5]
    words += [
        "--configured-temperature",
        1,
        "--region-thresholds",
        0.4,
        "--region-thresholds",
        0.6,
        "--smallest-component-ml",
        2,
    ]
    words += ["--table", tmp_path / "tried.tsv", "--output", tmp_path / "chosen.json"]
    done = CliRunner().invoke(tune_postprocess.tune_postprocess, list(map(str, words)))
    assert done.exit_code == 0, done.output
    chosen = json.loads((tmp_path / "chosen.json").read_text())
    # A threshold above 0.55 removes the wrong voxel, so that dropping small components gains nothing more.
    assert chosen["threshold_wt"] == pytest.approx(0.6, abs=0.002)
    assert (chosen["threshold_et"], chosen["smallest_component_ml"]) == (0.5, 0)
    assert [row["WT"] for row in chosen["tried_regions"][:3]] == pytest.approx([16 / 17, 16 / 17, 1], abs=1e-4)
    words = ["--prediction", tmp_path / "raw/a.nii.gz", "--labels", "brats2020", "--volumes", tmp_path / "chosen.json"]
    words += ["--maps", tmp_path / "maps/a", "--measured", tmp_path / "ml.json", "--output", tmp_path / "a.nii.gz"]
    done = CliRunner().invoke(postprocess.postprocess, list(map(str, words)))
    assert done.exit_code == 0, done.output
    truth = nib.load(tmp_path / "a_seg.nii.gz").get_fdata()
    assert (nib.load(tmp_path / "a.nii.gz").get_fdata() == truth).all()
