"""Covariates are read from the tables next to the images."""

from cohorts import PLAIN, found, touch, write_cohort
from studies import MODALITIES

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
    assert len(notes) == 1
    assert "survival_data.csv: expected 2 cells in each line, found 1 in line 2" in notes[0]
