"""Compare metrics of lines of voxels with results calculated by hand."""

import pytest
from examples import line, score

from glioseg.evaluate.measures import dice_of_sizes
from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.region_pair import Pair


def test_dice_of_empty_sets():
    assert dice_of_sizes(0, 0, 0) == 1
    assert dice_of_sizes(3, 0, 0) == dice_of_sizes(0, 3, 0) == 0
    assert dice_of_sizes(4, 4, 2) == 0.5


def test_overlap_by_hand() -> None:
    # Truth 2, 3, 4, 5; prediction 4, 5, 6: TP 2, FP 1, FN 2, TN 5.
    pair = Pair(line(2, 3, 4, 5), line(4, 5, 6), (2.0, 5.0, 10.0), 10)  # voxels of 0.1 ml
    expected = {"dice": 4 / 7, "iou": 2 / 5, "sensitivity": 2 / 4, "specificity": 5 / 6, "precision": 2 / 3}
    expected |= {"volume_difference_ml": -0.1, "volume_difference_percent": -25}
    assert {name: METRICS[name].compute(pair) for name in expected} == pytest.approx(expected)


def test_scores_of_disjoint_and_equal_regions() -> None:
    none, whole = dict.fromkeys(("dice", "iou", "sensitivity", "precision"), 0), ("dice", "iou", "specificity")
    assert {name: score(name, line(1), line(5)) for name in none} == none
    assert all(score(name, line(1, 2), line(1, 2)) == 1 for name in (*none, *whole, "lesion_dice"))
    assert all(score(name, line(1, 2), line(1, 2)) == 0 for name in ("hd95_mm", "assd_mm", "lesion_hd95_mm"))


def test_normalized_surface_distance_by_hand() -> None:
    # Two voxels that touch. The surface of a voxel lies at its eight corners, with the same area at each.
    near, far = line(2), line(3)
    # The corners between x = 2 and 3 are common to both voxels, the other four of each are 1 mm from the common ones.
    assert score("nsd_05mm", near, far) == pytest.approx(0.5) and score("nsd_1mm", near, far) == 1
    assert score("nsd_1mm", near, far, (1 + 1e-7, 1, 1)) == 1  # a header's rounding is no distance
    assert score("nsd_1mm", near, far, (1.01, 1, 1)) == pytest.approx(0.5)
    assert score("nsd_05mm", line(2), line(6)) == score("nsd_1mm", line(2), line(6)) == 0
