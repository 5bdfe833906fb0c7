"""Covariates are read from the tables next to the images."""

import pytest
from cohorts import PLAIN, found, touch, write_cohort
from studies import MODALITIES

from glioseg.layouts.covariates import matches
from glioseg.layouts.find_subjects import find_subjects, read_source


def test_covariates_are_read_where_they_are(tmp_path):
    source = write_cohort(tmp_path, "2020")
    subjects = find_subjects([source], list(MODALITIES))
    first = {"grade": "HGG", "age": "60.46", "survival_days": "289", "extent_of_resection": "GTR"}
    assert [subject.covariates for subject in subjects.values()] == [first, {"grade": "LGG"}]
    # The table above the given folder is read too.
    assert found(tmp_path / "MICCAI_BraTS2020_TrainingData") == subjects
    touch(tmp_path / "old", "HGG/a/a_flair.nii", "LG/b/b_flair.nii")
    assert {name: subject.covariates for name, subject in found(tmp_path / "old").items()} == {
        "a": {"grade": "HGG"},
        "b": {"grade": "LGG"},
    }
    (tmp_path / "old" / "survival_data.csv").write_text("BraTS19ID,Age\nb\n")
    assert found(tmp_path / "old")["b"].covariates == {"grade": "LGG"}
    notes = read_source(PLAIN | {"folder": tmp_path / "old"}, []).notes
    # The table above the folder is of other subjects.
    assert len(notes) == 2 and "survival_info.csv: 1 of 1 rows name no subject" in notes[0]
    assert "survival_data.csv: expected 2 cells in each line, found 1 in line 2" in notes[1]


def test_ids_mean_the_only_name_that_they_can_mean():
    names = {"sub-001", "sub-002", "BraTS20_Training_010"}
    for one, name in [
        ("SUB-001", "sub-001"),
        ("sub-1", "sub-001"),
        ("1", "sub-001"),
        ("002", "sub-002"),
        ("BraTS20_Training_10", "BraTS20_Training_010"),
        ("Training_010", "BraTS20_Training_010"),
    ]:
        assert matches({one}, names) == {one: name}
    # Two ids for one name, two names for one id, and an id for a name that has its own are not matched.
    assert matches({"1", "01"}, names) == {}
    assert matches({"1"}, {"a_1", "b_1"}) == {}
    assert matches({"sub-001", "1"}, names) == {"sub-001": "sub-001"}
    assert matches({"100", "sub-1-2", ""}, names) == {}
    # An id of a patient.
    assert matches({"GLI-1"}, {"BraTS-GLI-00001-100", "BraTS-GLI-00001"}) == {"GLI-1": "BraTS-GLI-00001"}


@pytest.mark.parametrize("ids", [("1", "2", "9"), ("001", "002", "009"), ("sub-1", "sub-2", "sub-9")])
def test_participants_are_matched_and_the_rest_is_counted(tmp_path, ids):
    touch(tmp_path, "sub-001/anat/sub-001_T1w.nii", "sub-002/ses-a/anat/sub-002_ses-a_T1w.nii")
    rows = [f"{one}\t{60 + number}" for number, one in enumerate(ids)]
    (tmp_path / "participants.tsv").write_text("\n".join(["participant_id\tage", *rows]) + "\n")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    ages = {name: subject.covariates for name, subject in source.subjects.items()}
    assert ages == {"sub-001": {"age": "60"}, "sub-002_ses-a": {"age": "61"}}
    table = tmp_path / "participants.tsv"
    assert source.notes == [
        f"{table}: 2 ids are written differently from the names of subjects, such as {ids[0]}, which is read as "
        "sub-001",
        f"{table}: 1 of 3 rows name no subject, such as {ids[2]}; their covariates are not used",
    ]


def test_ids_of_brats_tables_are_matched_and_may_be_patients(tmp_path):
    touch(tmp_path, "Training_001/Training_001_t1.nii", "Training_002/Training_002_t1.nii", "P1_tp1/P1_tp1_t1.nii")
    (tmp_path / "survival_info.csv").write_text("ID,Age\nTraining_1,61\nTraining_3,62\nP1,63\n")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    ages = {name: subject.covariates.get("age") for name, subject in source.subjects.items()}
    assert ages == {"Training_001": "61", "Training_002": None, "P1_tp1": "63"}
    assert "1 of 3 rows name no subject, such as Training_3" in source.notes[-1]
