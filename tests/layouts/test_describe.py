"""The estimated disk space is close to what preprocessing writes, and any subject can be described."""

import pytest
from cohorts import PLAIN, preprocessed, touch, write_cohort
from studies import MODALITIES

from glioseg.layouts.describe import describe_source, forecast_bytes
from glioseg.layouts.find_subjects import find_subjects, read_source


def test_the_disk_forecast_is_what_preprocessing_writes(tmp_path):
    source = write_cohort(tmp_path, "msd", spacing_mm=(1.0, 1.0, 2.0))
    subjects = find_subjects([source], list(MODALITIES))
    size, measured = forecast_bytes(subjects, list(MODALITIES), 1.0)
    written = sum(array.nbytes for name in subjects for array in preprocessed(name, subjects[name])[1].values())
    assert measured == 2
    assert size == pytest.approx(written, rel=0.1)
    assert forecast_bytes({}, list(MODALITIES), 1.0)[1] == 0


def test_subjects_without_any_image_are_described(tmp_path):
    source = PLAIN | {"folder": str(touch(tmp_path, "a/a_seg.nii.gz", "b/b_seg.nii.gz"))}
    described = describe_source(source, read_source(source, []), [], 1.0)
    assert "subjects   2\n" in described
    assert "modalities none; expected an image of flair, t1, t1ce or t2 for each subject\n" in described
    assert "disk       no estimate" in described
