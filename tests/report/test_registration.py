"""The report ranks registered subjects by how doubtful they are, and shows the figure of each."""

import pytest
from PIL import Image
from reports import make, written

from glioseg.files import write_json
from glioseg.report.registration import doubtful, read_registered, registration_words

SETTINGS = {"mode": "auto", "reference": "t1ce", "n4": False, "strip": "network"}


def facts(after, moved, **others):
    """A register.json of T1, which shares so much information with T1ce, and of FLAIR, which shares more."""
    series = {"t1ce": {}, "t1": {"nats_before": 0.2, "nats_after": after, "moved_mm": moved}}
    series["flair"] = {"nats_before": 0.1, "nats_after": after + 0.3, "moved_mm": 3.0}
    usual = {"registered": True, "why": "the series are on different grids", "reference": "t1ce", "series": series}
    return usual | {"refused": {}, "warnings": []} | others


def test_subjects_with_warnings_come_first_and_then_those_that_share_least(tmp_path):
    found = {
        "good": facts(0.9, 5),
        "poor": facts(0.3, 2, brain_ml=1500.0),
        "odd": facts(0.8, 4, brain_ml=2500.0, warnings=["the brain has 2500 ml"]),
        "alone": {**facts(0.9, 5), "series": {"t1ce": {}}},
        "kept": {**facts(0.9, 5), "registered": False},
    }
    for name, of in found.items():
        write_json(tmp_path / name / "register.json", of)
    registered = read_registered(tmp_path, [*found, "absent"])
    assert "kept" not in registered and "absent" not in registered and registered["good"]["drawn"] == ""
    rows = doubtful(registered)
    assert [row["subject"] for row in rows] == ["odd", "poor", "good", "alone"]
    assert (rows[1]["series"], rows[1]["nats_after"], rows[1]["moved_mm"], rows[1]["brain_ml"]) == ("t1", 0.3, 3, 1500)
    assert rows[3]["series"] == "" and rows[3]["nats_after"] is None
    assert read_registered(None, ["good"]) == {}


def test_the_pages_show_the_figure_and_link_to_it(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.2})
    assert "Largest movement" not in written(options)
    write_json(tmp_path / "register/good/register.json", facts(0.9, 5.25, brain_ml=1432.4))
    write_json(tmp_path / "register/bad/register.json", facts(0.05, 12, warnings=["t1 was <turned>"]))
    Image.new("L", (7, 5)).save(tmp_path / "register/good/register.png")
    page = written(["--registered", str(tmp_path / "register"), *options])
    table = page[page.index('id="registration"') :]
    assert table.index("subjects/bad.html") < table.index("subjects/good.html")
    assert "t1 was &lt;turned&gt;" in table and '<td class="num">5.2</td><td class="num">1432</td>' in table
    subject = (tmp_path / "report/subjects/good.html").read_text()
    assert 'width="7" height="5" alt="Each series of good on t1ce as a checkerboard' in subject
    assert "The brain that was cut out has 1432 ml." in subject
    assert "Registered to t1ce" in (tmp_path / "report/subjects/bad.html").read_text()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "The series of each subject that lay on different grids were registered rigidly to t1ce"),
        ({"mode": "always", "reference": "finest"}, "subject were registered rigidly to the series with the smallest"),
        ({"n4": True}, "resampled to 1 mm, and corrected by N4 [@tustison2010]."),
        ({"strip": "none"}, "[@mattes2003], and resampled to 1 mm."),
        ({"strip": "brains"}, "The skull was removed with given masks of the brain."),
    ],
)
def test_the_methods_say_how_series_were_registered(changes, words):
    text = registration_words(SETTINGS | changes)
    assert words in text and ("[@hoopes2022]" in text) == ("strip" not in changes)


def test_the_methods_say_nothing_if_nothing_is_registered():
    assert registration_words(None) == registration_words(SETTINGS | {"mode": "never"}) == ""
