"""Places where the truth contradicts certain probabilities are found, measured and ranked."""

import numpy as np
import pytest

from glioseg.evaluate.parts.suspects import MOST, SUSPECT_COLUMNS, contradictions, depths, suspect_rows

AFFINE = np.array([[-1.0, 0, 0, 100], [0, -1, 0, 50], [0, 0, 2, 0], [0, 0, 0, 1]])
SPACING = (1, 1, 2)


def case():
    """A tumor of 20x20x10 voxels of 2 mm³, 8 ml, whose probabilities agree with the truth."""
    truth = np.zeros((60, 60, 30), np.uint8)
    truth[10:30, 10:30, 5:15] = 2
    maps = {name: np.zeros(truth.shape, np.float32) for name in ("WT", "TC", "ET")}
    maps["WT"][truth > 0] = 0.99
    return truth, maps


def test_an_agreeing_truth_has_no_place():
    truth, maps = case()
    assert contradictions(maps, truth, AFFINE, SPACING) == {"depth_mm": 0, "places": []}
    assert contradictions({}, truth, AFFINE, SPACING) == {}, "without maps"
    nothing = {name: 0 * values for name, values in maps.items()}
    assert contradictions(nothing, 0 * truth, AFFINE, SPACING) == {"depth_mm": 0.0, "places": []}


def test_a_lesion_that_the_network_does_not_see_and_one_that_the_truth_lacks():
    truth, maps = case()
    truth[40:50, 40:50, 20:25] = 2  # 1 ml, true and not predicted
    maps["WT"][45:50, 10:15, 5:10] = 0.95  # 0.25 ml, predicted and not true
    maps["WT"][30:32, 10:30, 5:15] = 0.6  # uncertain: no contradiction
    found = contradictions(maps, truth, AFFINE, SPACING)
    facts = [(place["region"], place["error"]) for place in found["places"]]
    assert facts == [("WT", "false negative"), ("WT", "false positive")]
    assert [place["place_ml"] for place in found["places"]] == pytest.approx([0.8, 0.2], abs=0.1)
    assert found["places"][0]["probability"] == 0 and found["places"][1]["probability"] == pytest.approx(0.95)
    x, y, z = found["places"][0]["place_mm"]
    voxel = np.rint(np.linalg.inv(AFFINE) @ [x, y, z, 1])[:3].astype(int)
    assert (voxel >= [40, 40, 20]).all() and (voxel < [50, 50, 25]).all()
    # 1.25 ml in WT, of which 8.0 + 0.25 + 0.8 ml are predicted; none in TC and ET.
    assert found["depth_mm"] == pytest.approx(10 * 1.25 / (8 + 0.25 + 0.8) ** (2 / 3))


def test_a_thin_shell_is_no_place_but_counts():
    truth, maps = case()
    maps["WT"][30:31, 10:30, 5:15] = 0.95  # one voxel thick
    found = contradictions(maps, truth, AFFINE, SPACING)
    assert found["places"] == [] and found["depth_mm"] > 0


def test_swapped_labels_are_a_place_of_the_core_alone():
    truth, maps = case()
    truth[truth == 2] = 1
    found = contradictions(maps, truth, AFFINE, SPACING)
    assert [(place["region"], place["error"]) for place in found["places"]] == [("TC", "false negative")]


def test_rows_are_sorted_over_subjects_and_limited():
    truth, maps = case()
    for number in range(12):
        truth[40:44, 5 * number : 5 * number + 4, 20:24] = 2
    many = contradictions(maps, truth, AFFINE, SPACING)
    assert len(many["places"]) == MOST
    few = {"depth_mm": 1.5, "places": [many["places"][0] | {"place_ml": 9.0}]}
    cohort = [{"subject": name, "patient": name, "fold": "0"} for name in ("a", "b", "c")]
    evaluations = [{"subject": name, "contradictions": found} for name, found in (("a", many), ("b", few), ("c", {}))]
    rows = suspect_rows(evaluations, cohort)
    assert [row["subject"] for row in rows] == ["b", *["a"] * MOST] and tuple(rows[0]) == SUSPECT_COLUMNS
    assert depths(evaluations) == {"a": many["depth_mm"], "b": 1.5}
