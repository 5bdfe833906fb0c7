"""The figure of scores shows every subject that has a score."""

import numpy as np
import pytest

from glioseg.plot import scores


def test_scores_show_every_subject_and_skip_empty_metrics():
    dice = {"network": {name: [0.1, 0.5, 0.9, 0.3, 0.2] for name in ("WT", "TC", "ET")}}
    figure = scores.scores({"dice": dice, "hd95_mm": {}})
    assert len(figure.axes) == 1
    assert [len(points.get_offsets()) for points in figure.axes[0].collections] == [5, 5, 5]
    assert "No subject was scored" in scores.scores({"dice": {}, "hd95_mm": {}}).texts[0].get_text()


def test_a_method_without_a_region_leaves_no_empty_place():
    dice = {"network": {"WT": [0.5], "TC": [0.5]}, "first": {"WT": [0.4]}, "second": {"WT": [0.3], "TC": [0.2]}}
    points = scores.scores({"dice": dice, "hd95_mm": {}}).axes[0].collections
    places = [float(found.get_offsets()[0, 0]) for found in points]
    # WT has three methods; TC has two, side by side.
    assert np.allclose(sorted(places), [-0.4, -0.2 / 1.5, 0.4 / 3, 0.7, 1.1], atol=0.13)


def test_axes_start_where_the_scores_do():
    values = {"WT": [0.91, 0.97], "TC": [0.8]}
    figure = scores.scores({"dice": {"network": values}, "hd95_mm": {"network": {"WT": [1, 4.5]}}})
    dice, distance = figure.axes
    assert dice.get_yticks()[0] == 0.75 and distance.get_yticks().tolist() == [0, 1, 2, 5]


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
