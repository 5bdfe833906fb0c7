"""The estimated disk space is close to what preprocessing writes."""

import pytest
from cohorts import preprocessed, write_cohort
from studies import MODALITIES

from glioseg.layouts.describe import forecast_bytes
from glioseg.layouts.find_subjects import find_subjects


def test_the_disk_forecast_is_what_preprocessing_writes(tmp_path):
    source = write_cohort(tmp_path, "msd", spacing_mm=(1.0, 1.0, 2.0))
    subjects = find_subjects([source], list(MODALITIES))
    size, measured = forecast_bytes(subjects, list(MODALITIES), 1.0)
    written = sum(array.nbytes for name in subjects for array in preprocessed(name, subjects[name])[1].values())
    assert measured == 2
    assert size == pytest.approx(written, rel=0.1)
    assert forecast_bytes({}, list(MODALITIES), 1.0)[1] == 0
