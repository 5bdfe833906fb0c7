"""Modalities are recognized by all names that data sets use for them."""

import pytest
from cohorts import found, touch
from studies import MODALITIES

from glioseg.labels import MASK
from glioseg.layouts.find_subjects import File


def test_modalities_are_recognized_by_all_their_names(tmp_path):
    touch(tmp_path, *(f"a/a_{name}.nii.gz" for name in ("FLAIR", "T1w", "t1-Gd", "T2", "adc", "SEG")))
    subject = found(tmp_path, [*MODALITIES, "ADC"])["a"]
    assert set(subject.files) == {*MODALITIES, "ADC", MASK}
    assert subject.files["ADC"] == File(f"{tmp_path}/a/a_adc.nii.gz")
    with pytest.raises(ValueError, match="modalities: t1c is called t1ce in glioseg; write t1ce"):
        found(tmp_path, ["flair", "t1c"])
