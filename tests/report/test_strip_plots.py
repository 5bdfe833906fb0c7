"""Boxes and points of the strip plots, computed by hand."""

import pytest

from glioseg.report import strip_plots


def test_boxes_and_points_by_hand():
    table = [
        {"subject": name, "dice": {"WT": value}}
        for name, value in zip("abcdef", (0, 0.8, 0.85, 0.9, 0.9, float("nan")), strict=True)
    ]
    (plot,) = strip_plots.strip_plots(table, ["WT", "TC"])
    (group,) = plot["groups"]
    # 260 pixels from 0 at 290 to 1 at 30; the quartiles of five are the second, third and fourth; 0 is an outlier.
    assert [point["y"] for point in group["points"]] == [290, 82, 69, 56, 56]
    assert group["box"] == {"q1": 82, "q3": 56, "low": 82, "high": 56} and group["median"] == 69
    assert abs(group["points"][4]["x"] - group["points"][3]["x"]) == 9, "equal values are side by side"
    assert strip_plots.swarm([0, 0, 0, 50], radius=1, half=1) == pytest.approx([0, -0.7, 0.7, 0], abs=0.05)
