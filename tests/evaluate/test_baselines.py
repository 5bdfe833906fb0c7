"""Test that baselines are trained on other subjects than they score, and how they are scored."""

import json

import numpy as np
import pytest
from baselines import facts, write_cohort, write_subject

from glioseg.evaluate.baselines import best_threshold, class_sizes, fit_classifier, held_out_groups, score_baselines


def test_the_threshold_is_the_best_one_for_all_subjects_together():
    flair = [np.repeat([0.0, 1.0, 5.0], 100), np.repeat([0.0, 2.0, 5.0], 100)]
    threshold, scores = best_threshold(flair, [values == 5 for values in flair], [100, 100])
    assert 2 < threshold <= 5
    assert scores == [1, 1]


def test_tumor_outside_the_brain_counts_as_missed():
    flair = [np.repeat([0.0, 5.0], 100)]
    _, scores = best_threshold(flair, [flair[0] == 5], [200])
    assert scores == [pytest.approx(2 / 3)]


def test_tumor_that_the_crop_cut_off_counts_as_missed(tmp_path):
    dice = {}
    for seed, name in enumerate("ab"):
        _, mask = write_subject(tmp_path / name, seed, ["flair"])
    kept, whole = int((mask > 0).sum()), facts(mask)["classes"]
    cohort = write_cohort(tmp_path / "cohort.tsv", [("a", "test", "yes"), ("b", "train", "yes")])
    for lost in (0, kept):
        scan = facts(mask, modalities=["flair"], tumor_voxels_lost=lost)
        scan["classes"]["edema"] = whole["edema"] + lost
        (tmp_path / "a/scan.json").write_text(json.dumps(scan))
        for row in score_baselines(cohort, tmp_path, 42):
            if row["region"] == "WT":
                dice.setdefault(row["method"], []).append(float(row["dice"]))
    assert set(dice) == {"FLAIR threshold", "voxel-wise classifier"}
    # The crop cut off half of the tumor: the truth has twice the voxels, and the same number is found.
    for complete, cropped in dice.values():
        assert complete > 0.95
        assert cropped == pytest.approx(2 / 3, abs=0.03)


def test_sizes_of_a_resampled_scan():
    mask = np.zeros((4, 4, 4), np.uint8)
    mask[:2] = 2
    scan = facts(mask, spacing_mm=[1.0, 1.0, 2.0], classes={"necrosis": 0, "edema": 15, "enhancing": 3})
    assert class_sizes(mask, scan)[1:].tolist() == [0, 32, 0, 0, 0]
    assert class_sizes(mask, {**scan, "tumor_voxels_lost": 2})[1:].tolist() == [0, 32, 6, 0, 0]


def test_the_cavity_is_not_tumor_and_is_scored_if_the_label_dialect_has_it(tmp_path):
    for seed, name in enumerate("ab"):
        write_subject(tmp_path / name, seed, ["flair"])
    image, mask = np.load(tmp_path / "a/image.npy"), np.load(tmp_path / "a/mask.npy")
    mask[1:4], image[1:4] = 4, -5
    np.save(tmp_path / "a/image.npy", image)
    np.save(tmp_path / "a/mask.npy", mask)
    scan = facts(mask, modalities=["flair"], labels="brats2024")
    scan["classes"]["cavity"] = int((mask == 4).sum())
    (tmp_path / "a/scan.json").write_text(json.dumps(scan))
    cohort = write_cohort(tmp_path / "cohort.tsv", [("a", "0", "yes"), ("b", "1", "yes")])
    rows = score_baselines(cohort, tmp_path, 42)
    regions = {
        name: [row["region"] for row in rows if (row["method"], row["subject"]) == ("voxel-wise classifier", name)]
        for name in "ab"
    }
    assert regions == {"a": ["WT", "TC", "ET", "RC"], "b": ["WT", "TC", "ET"]}
    # No training subject has a cavity, so none is found; bright FLAIR is still the whole tumor.
    assert [row["dice"] for row in rows if row["region"] == "RC"] == ["0.000000"]
    assert all(float(row["dice"]) > 0.95 for row in rows if row["method"] == "FLAIR threshold")


def test_groups_never_score_their_training_subjects(tmp_path):
    folds = [("a", "test", "yes"), ("b", "0", "yes"), ("c", "1", "yes"), ("d", "1", "yes"), ("e", "new", "no")]
    groups = list(held_out_groups(write_cohort(tmp_path / "cohort.tsv", folds)))
    assert groups == [(["c", "d"], ["b"]), (["b"], ["c", "d"]), (["b", "c", "d"], ["a"])]


def test_single_model_runs_score_the_test_group_only(tmp_path):
    folds = [("a", "test", "yes"), ("b", "train", "yes"), ("c", "train", "yes")]
    groups = list(held_out_groups(write_cohort(tmp_path / "cohort.tsv", folds)))
    assert groups == [(["b", "c"], ["a"])]


def test_the_classifier_needs_subjects():
    with pytest.raises(ValueError, match="no training subjects"):
        fit_classifier([], 42)


def test_the_threshold_is_left_out_without_flair(tmp_path):
    for seed, name in enumerate("ab"):
        write_subject(tmp_path / name, seed, ["t1"])
    cohort = write_cohort(tmp_path / "cohort.tsv", [("a", "test", "yes"), ("b", "train", "yes")])
    assert {row["method"] for row in score_baselines(cohort, tmp_path, 42)} == {"voxel-wise classifier"}


def test_the_threshold_leaves_out_subjects_without_flair(tmp_path):
    for seed, name in enumerate("abc"):
        write_subject(tmp_path / name, seed, ["flair", "t1"], missing_modalities=["flair"] if name == "a" else [])
    cohort = write_cohort(tmp_path / "cohort.tsv", [("a", "test", "yes"), ("b", "test", "yes"), ("c", "train", "yes")])
    rows = [row for row in score_baselines(cohort, tmp_path, 42) if row["method"] == "FLAIR threshold"]
    assert [row["subject"] for row in rows] == ["b"]
