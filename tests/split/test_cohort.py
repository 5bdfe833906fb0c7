"""Which subjects are included, and in which fold."""

import re

import pytest
from cohorts import found, touch
from scans import broken, rows_of, scan, unmasked

from glioseg.split.cohort import cohort_rows, counted, covariate_columns, insist_on_all
from glioseg.split.folds import assign_folds
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
    insist_on_all({each["subject"]: each for each in scans}, {})
    with pytest.raises(ValueError, match=r"1 of 2 subjects are excluded\nbroken: t1 is empty; x/broken is a link$"):
        insist_on_all({"broken": broken("broken"), "s0": scan("s0")}, {"broken": "x/broken is a link", "s0": "a note"})


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


def test_the_content_of_a_scan_is_what_networks_read_and_not_what_is_said_of_it():
    def content(**facts):
        (row,) = [row for row in rows_of([scan("a", **facts), scan("b")], 1, test_percent=0) if row["subject"] == "a"]
        return row["content"]

    first = content(arrays={"image": "1", "mask": "2"})
    assert re.fullmatch("[0-9a-f]{16}", first)
    doubted = {"verdict": "warned", "findings": [], "reason": "a doubt"}
    assert content(arrays={"image": "1", "mask": "2"}, **doubted) == first
    assert content(arrays={"image": "1", "mask": "3"}) != first
    excluded = {row["subject"]: row["content"] for row in rows_of([broken("a"), scan("b")], 1, test_percent=0)}
    assert excluded["a"] == ""


def test_a_covariate_called_fold_does_not_set_the_fold():
    scans = [scan(f"s{i}") for i in range(4)]
    table = [
        {"subject": one["subject"], "patient": one["subject"], "labels": "brats2020", "fold": "test", "tumor_ml": "99"}
        for one in scans
    ]
    rows = cohort_rows(table, {one["subject"]: one for one in scans[1:]}, {"s0": "exclude"}, 3, 0, 3)
    assert rows[0]["fold"] == ""
    assert {row["fold"] for row in rows[1:]} == {"0", "1", "2"}
    assert rows[0]["tumor_ml"] == ""


def test_covariates_are_the_columns_without_files():
    table = [{"subject": "a", "labels": "msd", "t1": "x", "seg": "y", "age": "60"}]
    assert covariate_columns(table, {"a": scan("a")}) == ["age"]


# Two visits of a patient on disk, as the layouts that know visits name them.
VISITS = {
    "2017": [f"Brats17_TCIA_{{0}}_{visit}/Brats17_TCIA_{{0}}_{visit}_t1.nii" for visit in (1, 2)],
    "2015": [f"HGG/brats_tcia_pat{{0}}_000{visit}/VSD.Brain.XX.O.MR_T1.5.nii" for visit in (1, 2)],
    "2015 short": [f"pat{{0}}_000{visit}/pat{{0}}_000{visit}_t1.nii" for visit in (1, 2)],
    "2024": [f"BraTS-GLI-{{0}}-{visit}/BraTS-GLI-{{0}}-{visit}-t1n.nii" for visit in (100, 101)],
    "upenn": [f"UPENN-GBM-{{0}}_{visit}/UPENN-GBM-{{0}}_{visit}_t1.nii" for visit in (11, 21)],
    "bids": [f"sub-{{0}}/ses-{visit}/anat/sub-{{0}}_ses-{visit}_T1w.nii" for visit in ("pre", "post")],
    "words": [f"P{{0}}_tp{visit}/P{{0}}_tp{visit}_t1.nii" for visit in (1, 2)],
}
# Of 16 subjects and one without a mask, drawn before visits were known.
FOLDS_BEFORE = "0 test 0 test test 0 2 1 1 2 2 1 test 2 0 1 new"


@pytest.mark.parametrize("name", [*VISITS, "table"])
def test_no_patient_is_on_both_sides_of_a_split(tmp_path, name):
    numbers = [f"{number:05d}" for number in range(1, 201)]
    if name == "table":
        touch(tmp_path, "any.nii")
        lines = [f"{visit}{number}\tp{number}\tany.nii" for number in numbers for visit in "ab"]
        (tmp_path / "cohort.tsv").write_text("\n".join(["subject\tpatient\tt1", *lines]) + "\n")
    else:
        touch(tmp_path, *(place.format(number) for number in numbers for place in VISITS[name]))
    subjects = found(tmp_path, ["t1"], prefix="x_")
    patients = {subject: files.patient for subject, files in subjects.items()}
    assert (len(patients), len(set(patients.values()))) == (400, 200)
    assert all(patient.startswith("x_") for patient in patients.values())
    # Every third subject has no mask.
    scans = [
        {**(scan(subject, tumor_ml=1.0 + number) if number % 3 else unmasked(subject)), "patient": patient}
        for number, (subject, patient) in enumerate(patients.items())
    ]
    for folds, percent in ((5, 0), (1, 25)):
        rows = rows_of(scans, folds, test_percent=percent)
        sides = {}
        for row in rows:
            sides.setdefault(row["patient"], set()).add(row["fold"])
        assert [patient for patient, side in sides.items() if len(side) > 1] == []
        learned = {
            model: {patients[subject] for subject in training_subjects(rows, model)}
            for model in ("all", *map(str, range(folds)))
        }
        predicted = predicted_subjects(rows)
        assert any(subject not in scored_subjects(rows) for subject in predicted)
        for subject in predicted:
            assert all(patients[subject] not in learned[model] for model in models_for(rows, subject, folds, 1))
    test = [row for row in rows if row["fold"] == "test"]
    assert len({row["patient"] for row in test}) == 50
    assert counted(rows) == "400 subjects of 200 patients"
    with pytest.raises(ValueError, match="or another visit of its patient, was in the training set"):
        models_for(rows, next(row["subject"] for row in rows if row["fold"] == "train"), 1, 1)


def test_a_patient_is_stratified_by_the_first_visit_with_a_mask():
    first = {name: float(number) for number, name in enumerate("abcdefghij")}
    scans = [{**unmasked(f"{name}0"), "patient": name} for name in first]
    scans += [{**scan(f"{name}1", tumor_ml=size), "patient": name} for name, size in first.items()]
    scans += [{**scan(f"{name}2", tumor_ml=99 - size), "patient": name} for name, size in first.items()]
    folds = {row["subject"]: row["fold"] for row in rows_of(scans, 2)}
    volumes_ml = {f"{name}1": size for name, size in first.items()}
    drawn = assign_folds(volumes_ml, dict.fromkeys(volumes_ml, 0.5), 2, 25, 3)
    assert folds == {f"{name}{visit}": drawn[f"{name}1"] for name in first for visit in "012"}


def test_the_folds_of_patients_with_one_scan_are_those_of_earlier_versions():
    scans = [scan(f"s{number:02d}", tumor_ml=number % 7.0, enhancing_ml=number % 3.0) for number in range(16)]
    rows = rows_of([*scans, unmasked("t")], 3)
    assert " ".join(row["fold"] for row in rows) == FOLDS_BEFORE
    assert counted(rows) == "17 subjects"


def test_given_folds_are_kept():
    scans = [{**scan(f"{name}{visit}"), "patient": name} for name in "abc" for visit in "12"]
    scans.append({**unmasked("a3"), "patient": "a"})
    table = [{"subject": one["subject"], "patient": one["patient"], "labels": "brats2020"} for one in scans]
    folds = {"a": "0", "b": "1", "c": "test"}
    given = {f"{name}{visit}": fold for name, fold in folds.items() for visit in "12"}
    by_name = {one["subject"]: one for one in scans}
    rows = cohort_rows(table, by_name, {}, 9, 99, 3, given)
    assert {row["subject"]: row["fold"] for row in rows} == given | {"a3": "0"}
    with pytest.raises(ValueError, match="split: a1 is in fold 0 and a2 in fold 1, but they are of one patient"):
        cohort_rows(table, by_name, {}, 9, 99, 3, given | {"a2": "1"})


def test_what_a_layout_left_out_is_part_of_the_reason():
    scans = [*(scan(f"s{i}") for i in range(4)), broken("empty")]
    table = [
        {"subject": one["subject"], "patient": one["subject"], "labels": "msd", "layout_notes": ""} for one in scans
    ]
    table[3]["layout_notes"] = "s3: 2 files for seg"
    table[4]["layout_notes"] = "data/empty is empty"
    rows = cohort_rows(table, {one["subject"]: one for one in scans}, {}, 2, 0, 3)
    by_name = {row["subject"]: row for row in rows}
    facts = [by_name["empty"][column] for column in ("verdict", "checks", "reason")]
    assert facts == ["excluded", "constant,files", "t1 is empty; data/empty is empty"]
    facts = [by_name["s3"][column] for column in ("verdict", "checks", "reason")]
    assert facts == ["warned", "files", "s3: 2 files for seg"]
    assert covariate_columns(table, {"s0": scan("s0")}) == []
