"""The patient of a subject is recognized by the subject's name, or is the subject."""

import pytest

from glioseg.layouts.patients import patient_of


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("BraTS-GLI-00001-100", "BraTS-GLI-00001"),
        ("BraTS-GoAT-00001", "BraTS-GoAT-00001"),
        ("Brats17_2013_2_1", "Brats17_2013_2"),
        ("BraTS20_Training_001", "BraTS20_Training_001"),
        ("BraTS2021_00000", "BraTS2021_00000"),
        ("brats_tcia_pat123_0002", "brats_tcia_pat123"),
        ("pat123_0002", "pat123"),
        ("brats2013_pat0001", "brats2013_pat0001"),
        ("HG_0001", "HG_0001"),
        ("BRATS_001", "BRATS_001"),
        ("sub-01_ses-pre", "sub-01"),
        ("sub-01", "sub-01"),
        ("UPENN-GBM-00001_21", "UPENN-GBM-00001"),
        ("UCSF-PDGM-0429_FU003d", "UCSF-PDGM-0429"),
        ("UCSF-PDGM-0004", "UCSF-PDGM-0004"),
        ("Patient-001_week-044", "Patient-001"),
        ("case_01", "case_01"),
        ("study-2023-001", "study-2023-001"),
    ],
)
def test_patients_by_name(name, patient):
    assert patient_of(name) == patient
