"""Who takes part, in which fold, and predicted by whom."""

import numpy as np
import pytest

from glioseg.split.cohort import cohort_rows, covariate_columns, insist_on_all
from glioseg.split.duplicates import find_twins, group_twins
from glioseg.split.folds import assign_folds
from glioseg.split.models import (
    models,
    models_for,
    monitored_subjects,
    predicted_subjects,
    scored_subjects,
    seed_of,
    training_subjects,
)


def test_folds_are_balanced_and_seeded():
    volumes_ml = {f"s{i:02d}": float(i) for i in range(40)}
    enhancing = {name: float(i % 4 > 0) for i, name in enumerate(volumes_ml)}
    assigned = assign_folds(volumes_ml, enhancing, 3, 25, 7)
    groups = {fold: [s for s in volumes_ml if assigned[s] == fold] for fold in ("test", "0", "1", "2")}
    assert sum(map(len, groups.values())) == 40
    assert [len(group) for group in groups.values()] == [10, 10, 10, 10]
    for group in groups.values():
        assert sum(enhancing[s] == 0 for s in group) in (2, 3)
        assert np.mean([volumes_ml[s] for s in group]) == pytest.approx(19.5, abs=3)
    assert assign_folds(volumes_ml, enhancing, 3, 25, 7) == assigned
    assert assign_folds(volumes_ml, enhancing, 3, 25, 8) != assigned
    with pytest.raises(ValueError, match="2 usable subjects with masks are too few for 3 folds"):
        assign_folds({"a": 1.0, "b": 2.0}, {"a": 0.0, "b": 0.0}, 3, 0, 1)


def scan(name, **facts):
    base = {"subject": name, "verdict": "taken", "reason": "", "findings": [], "has_mask": True, "modalities": ["t1"]}
    tumor = {"tumor_ml": 1.0, "enhancing_ml": 0.5, "tumor_voxels": 10, "tumor_voxels_lost": 1}
    return base | tumor | {"hashes": {"t1": f"of {name}"}} | facts


def broken(name):
    sentence = "t1 is empty"
    finding = {"check": "constant", "verdict": "excluded", "sentence": sentence}
    return {
        "subject": name,
        "verdict": "excluded",
        "reason": sentence,
        "findings": [finding],
        "has_mask": True,
        "modalities": ["t1"],
    }


def unmasked(name, **facts):
    return {key: value for key, value in scan(name, has_mask=False, **facts).items() if "tumor" not in key}


def rows_of(scans, folds, exclude=(), seed=3, test_percent=25):
    table = [{"subject": each["subject"], "labels": "brats2020", "t1": "t1.nii", "grade": "HGG"} for each in scans]
    found = {each["subject"]: each for each in scans if each["subject"] not in exclude}
    return cohort_rows(table, found, dict.fromkeys(exclude, "exclude"), folds, test_percent, seed)


def test_nobody_is_predicted_by_a_model_that_saw_them():
    scans = [*(scan(f"s{i}") for i in range(8)), broken("broken"), unmasked("new")]
    for folds in (1, 3):
        rows = rows_of(scans, folds)
        for subject in predicted_subjects(rows):
            for model in models_for(rows, subject, folds, 1):
                assert subject not in training_subjects(rows, model)
        assert "new" in predicted_subjects(rows)
        assert "broken" not in predicted_subjects(rows)
        with pytest.raises(ValueError, match="broken is excluded and can't be predicted: t1 is empty"):
            models_for(rows, "broken", folds, 1)
    rows = rows_of(scans, 1)
    assert not set(monitored_subjects(rows, "all")) & set(training_subjects(rows, "all"))
    with pytest.raises(ValueError, match="was learned from by the only model"):
        models_for(rows, training_subjects(rows, "all")[0], 1, 1)
    row = next(row for row in rows if row["subject"] == "s0")
    assert row["lost_percent"] == "10.000"
    assert row["grade"] == "HGG"


def test_too_few_usable_subjects_names_the_exclusions():
    with pytest.raises(ValueError, match="excluded: broken: t1 is empty"):
        rows_of([broken("broken")], 1)


def test_a_warned_subject_takes_part_and_one_left_out_by_name_does_not():
    finding = {"check": "far_spacing", "verdict": "warned", "sentence": "its spacing is 3 mm"}
    scans = [scan("far", verdict="warned", findings=[finding]), *(scan(f"s{i}") for i in range(5))]
    rows = {row["subject"]: row for row in rows_of(scans, 2, exclude=["s3"], test_percent=0)}
    assert rows["far"]["verdict"] == "warned"
    assert rows["far"]["fold"] in ("0", "1")
    assert (rows["far"]["checks"], rows["far"]["reason"]) == ("far_spacing", "its spacing is 3 mm")
    assert (rows["s3"]["verdict"], rows["s3"]["fold"]) == ("excluded", "")
    assert rows["s3"]["reason"] == "left out by name (exclude)"
    insist_on_all({each["subject"]: each for each in scans})
    with pytest.raises(ValueError, match="1 of 2 subjects are excluded\nbroken: t1 is empty"):
        insist_on_all({"broken": broken("broken"), "s0": scan("s0")})


def test_twins_are_named_and_never_on_both_sides():
    same = {"hashes": {"t1": "one scan"}}
    for seed in range(12):
        scans = [scan(f"s{i}") for i in range(8)] + [scan("a", **same), scan("z", **same), unmasked("new", **same)]
        for folds in (1, 3):
            rows = rows_of(scans, folds, seed=seed)
            by_name = {row["subject"]: row for row in rows}
            assert by_name["a"]["fold"] == by_name["z"]["fold"] == by_name["new"]["fold"]
            assert by_name["z"]["verdict"] == "warned"
            assert "its t1 has the voxels of a's" in by_name["z"]["reason"]
            assert by_name["z"]["checks"] == "duplicate"
            assert "new" not in scored_subjects(rows)
            for subject in {"a", "z", "new"} & set(predicted_subjects(rows)):
                for model in models_for(rows, subject, folds, 1):
                    assert not {"a", "z", "new"} & set(training_subjects(rows, model))
            assert all("new" not in training_subjects(rows, model) for model in ("all", "0", "1", "2"))


def test_twins_of_twins_are_one_group():
    scans = {
        "a": {"hashes": {"t1": "1", "t2": "2"}},
        "b": {"hashes": {"t1": "1", "t2": "3"}},
        "c": {"hashes": {"t1": "4", "t2": "3"}},
        "d": {"hashes": {"t1": "5", "t2": "6"}},
    }
    twins = find_twins(scans)
    assert twins == {"a": {"b": ["t1"]}, "b": {"a": ["t1"], "c": ["t2"]}, "c": {"b": ["t2"]}}
    assert group_twins(["a", "b", "c", "d"], twins) == {"a": "a", "b": "a", "c": "a", "d": "d"}


def test_a_covariate_called_fold_holds_nobody_out():
    scans = [scan(f"s{i}") for i in range(4)]
    table = [{"subject": one["subject"], "labels": "brats2020", "fold": "test", "tumor_ml": "99"} for one in scans]
    rows = cohort_rows(table, {one["subject"]: one for one in scans[1:]}, {"s0": "exclude"}, 3, 0, 3)
    assert rows[0]["fold"] == ""
    assert {row["fold"] for row in rows[1:]} == {"0", "1", "2"}
    assert rows[0]["tumor_ml"] == ""


def test_covariates_are_what_is_no_file():
    table = [{"subject": "a", "labels": "msd", "t1": "x", "seg": "y", "age": "60"}]
    assert covariate_columns(table, {"a": scan("a")}) == ["age"]


def test_each_fold_has_a_model_for_each_seed():
    assert models(1, 1) == ["all"]
    assert models(1, 2) == ["all", "all_2"]
    assert models(2, 2) == ["0", "0_2", "1", "1_2"]
    assert [seed_of(model, 42) for model in ("0", "1", "0_2", "1_3")] == [42, 42, 1042, 2042]
    rows = [
        {"subject": name, "verdict": "taken", "fold": fold, "has_mask": "yes", "reason": ""}
        for name, fold in (("a", "0"), ("b", "1"), ("c", "test"))
    ]
    assert training_subjects(rows, "0_2") == training_subjects(rows, "0") == ["b"]
    assert monitored_subjects(rows, "1_2") == ["b"]
    assert models_for(rows, "a", 2, 2) == ["0", "0_2"]
    assert models_for(rows, "c", 2, 2) == ["0", "0_2", "1", "1_2"]
