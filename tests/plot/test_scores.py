"""The figure of scores shows every subject that has a score."""

import pytest

from glioseg.plot import scores


def test_scores_show_every_subject_and_skip_empty_metrics():
    dice = {"network": {name: [0.1, 0.5, 0.9, 0.3, 0.2] for name in ("WT", "TC", "ET")}}
    figure = scores.scores({"dice": dice, "hd95_mm": {}})
    assert len(figure.axes) == 1
    assert [len(points.get_offsets()) for points in figure.axes[0].collections] == [5, 5, 5]
    assert "No subject was scored" in scores.scores({"dice": {}, "hd95_mm": {}}).texts[0].get_text()


def test_scores_of_a_region_missing_from_some_methods_and_subjects():
    some = {"network": {"RC": [0.5], "WT": [0.5] * 6, "TC": [0.5] * 6, "ET": [0.5] * 6}, "other": {"TC": [0.5] * 6}}
    figure = scores.scores({"dice": some, "hd95_mm": {"network": {"WT": [1]}}})
    names = [[label.get_text()[-3:-1] for label in axis.get_xticklabels()] for axis in figure.axes]
    assert names == [["WT", "TC", "ET", "RC"]] * 2
    points = {
        round(float(found.get_offsets()[:, 0].mean())): len(found.get_offsets())
        for found in figure.axes[0].collections[:4]
    }
    assert points == {0: 6, 1: 6, 2: 6, 3: 1}
    assert figure.axes[0].collections[4].get_offsets()[:, 0].mean() == pytest.approx(1.2, abs=0.1)
