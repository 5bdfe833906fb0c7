"""The modality of a series, from what radiographers call it, and otherwise from its times."""

import pytest

from glioseg.layouts.dicom_words import modality_of

NOTHING = dict.fromkeys(("description", "protocol", "agent", "repetition", "echo", "inversion"), "")


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("AX FLAIR", "flair"), ("t2_tirm_tra_dark-fluid", "flair"), ("3D T2 FLAIR", "flair"), ("AX T1 FLAIR", "t1"),
        ("t1_mprage_sag_p2_iso", "t1"), ("T1 MPRAGE POST GD", "t1ce"), ("AX T1 +C", "t1ce"), ("t1_se_tra_KM", "t1ce"),
        ("AX T1 PRE GD", "t1"), ("t1 nativ", "t1"), ("BRAVO post", "t1ce"), ("AX T2 FSE", "t2"), ("t2_tse_tra", "t2"),
        ("T2* GRE", ""), ("ep2d_diff_ADC", ""), ("SWI", ""), ("TOF 3D", ""), ("perfusion DSC", ""),
    ],
)  # fmt: skip
def test_the_description_says_it(description, expected):
    assert modality_of(NOTHING | {"description": description}) == expected
    assert modality_of(NOTHING | {"protocol": description}) == expected


def test_the_agent_and_the_times_say_it_otherwise():
    assert modality_of(NOTHING | {"description": "t1_mprage", "agent": "Gadovist"}) == "t1ce"
    times = {"repetition": "9000", "echo": "120", "inversion": "2500"}
    assert modality_of(NOTHING | times) == "flair"
    assert modality_of(NOTHING | times | {"inversion": ""}) == "t2"
    short = {"repetition": "600", "echo": "12"}
    assert modality_of(NOTHING | short) == "t1"
    assert modality_of(NOTHING | short | {"agent": "yes"}) == "t1ce"
    assert modality_of(NOTHING | {"repetition": "unknown"}) == ""
