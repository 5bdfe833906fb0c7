"""Which subjects are included, and in which fold."""

import re

import pytest
from scans import broken, rows_of, scan, unmasked

from glioseg.split.cohort import cohort_rows, covariate_columns, insist_on_all
from glioseg.split.models import models_for, predicted_subjects, scored_subjects, training_subjects


def test_the_error_for_too_few_subjects_lists_the_exclusions():
    with pytest.raises(ValueError, match="excluded: broken: t1 is empty"):
        rows_of([broken("broken")], 1)


def test_a_subject_with_a_warning_is_included_and_one_left_out_by_name_is_not():
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


def test_duplicates_are_reported_and_in_the_same_fold():
    same = {"hashes": {"t1": "one scan"}}
    for seed in range(12):
        scans = [scan(f"s{i}") for i in range(8)] + [scan("a", **same), scan("z", **same), unmasked("new", **same)]
        for folds in (1, 3):
            rows = rows_of(scans, folds, seed=seed)
            by_name = {row["subject"]: row for row in rows}
            assert by_name["a"]["fold"] == by_name["z"]["fold"] == by_name["new"]["fold"]
            assert by_name["z"]["verdict"] == "warned"
            assert "its t1 voxels are identical to those of a;" in by_name["z"]["reason"]
            assert by_name["z"]["checks"] == "duplicate"
            assert "new" not in scored_subjects(rows)
            for subject in {"a", "z", "new"} & set(predicted_subjects(rows)):
                for model in models_for(rows, subject, folds, 1):
                    assert not {"a", "z", "new"} & set(training_subjects(rows, model))
            assert all("new" not in training_subjects(rows, model) for model in ("all", "0", "1", "2"))


def test_the_content_of_a_scan_is_what_networks_read_and_not_where_it_is():
    def content(**facts):
        (row,) = [row for row in rows_of([scan("a", **facts), scan("b")], 1, test_percent=0) if row["subject"] == "a"]
        return row["content"]

    first = content(files={"t1": "/here/t1.nii"}, arrays={"image": "1", "mask": "2"})
    assert re.fullmatch("[0-9a-f]{16}", first)
    elsewhere = {"files": {"t1": "/there/t1.nii"}, "verdict": "warned", "findings": [], "reason": "in /there"}
    assert content(arrays={"image": "1", "mask": "2"}, **elsewhere) == first
    assert content(arrays={"image": "1", "mask": "3"}) != first
    excluded = {row["subject"]: row["content"] for row in rows_of([broken("a"), scan("b")], 1, test_percent=0)}
    assert excluded["a"] == ""


def test_a_covariate_called_fold_does_not_set_the_fold():
    scans = [scan(f"s{i}") for i in range(4)]
    table = [{"subject": one["subject"], "labels": "brats2020", "fold": "test", "tumor_ml": "99"} for one in scans]
    rows = cohort_rows(table, {one["subject"]: one for one in scans[1:]}, {"s0": "exclude"}, 3, 0, 3)
    assert rows[0]["fold"] == ""
    assert {row["fold"] for row in rows[1:]} == {"0", "1", "2"}
    assert rows[0]["tumor_ml"] == ""


def test_covariates_are_the_columns_without_files():
    table = [{"subject": "a", "labels": "msd", "t1": "x", "seg": "y", "age": "60"}]
    assert covariate_columns(table, {"a": scan("a")}) == ["age"]
