"""Each lesion has a row with its outcome, its volumes and its place."""

import numpy as np
import pytest
from examples import ONE_MM

from glioseg.evaluate.lesion_table import LESION_COLUMNS, lesion_counts, lesion_facts, lesion_rows
from glioseg.evaluate.region_pair import region_pairs

SHAPE = (60, 30, 30)


def test_lesions_by_hand():
    truth, predicted = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    truth[5:15, 5:15, 5:15] = 2  # found: 1 ml, of which half
    predicted[5:15, 5:15, 5:10] = 2
    truth[30:35, 5:15, 5:15] = 2  # false negative: 0.5 ml
    truth[45:47, 20:25, 20:24] = 2  # 40 mm³
    predicted[50:59, 5:6, 5:6] = 2  # false positive: 0.009 ml
    predicted[5:9, 25:29, 5:6] = 2  # false positive: 0.016 ml
    # Axes as in BraTS: x and y grow to the left and the back.
    affine = np.array([[-1.0, 0, 0, 100], [0, -1, 0, 50], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = lesion_facts(region_pairs(truth, predicted, ONE_MM, ["WT"])["WT"], affine)
    assert [lesion["outcome"] for lesion in found] == [
        "found",
        "false negative",
        "false positive",
        "false positive",
        "ignored",
    ]
    assert [lesion["truth_ml"] for lesion in found] == pytest.approx([1, 0.5, 0, 0, 0.04])
    assert [lesion["predicted_ml"] for lesion in found] == pytest.approx([0.5, 0, 0.016, 0.009, 0])
    assert [lesion["dice"] for lesion in found] == [2 / 3, 0, 0, 0, 0]
    assert found[3]["place_mm"] == [100 - 54, 50 - 5, 5]
    for lesion in found:
        place = np.rint(np.linalg.solve(affine, [*lesion["place_mm"], 1])[:3]).astype(int)
        assert (truth if lesion["truth_ml"] else predicted)[tuple(place)]

    rows = lesion_rows([{"subject": "a", "lesions": {"WT": found}}], [{"subject": "a", "patient": "p", "fold": "0"}])
    extra = ("a", "p", "0", "WT", "false positive", "0.000", "0.009", "0.0000", "46.0", "45.0", "5.0")
    assert rows[3] == dict(zip(LESION_COLUMNS, extra, strict=True))
    counts = lesion_counts(rows)["WT"]
    lesions = {name: count["lesions"] for name, count in counts.items()}
    assert lesions == {"found": 1, "false negative": 1, "false positive": 2, "ignored": 1}
    assert counts["false positive"] == {"lesions": 2, "ml": pytest.approx(0.025), "subjects": {"a"}}


def test_a_subject_that_could_not_be_predicted_has_no_lesions():
    assert lesion_rows([{"subject": "a", "lesions": {}}], [{"subject": "a", "patient": "a", "fold": "0"}]) == []
    assert lesion_counts([]) == {}
    nothing = np.zeros(SHAPE, np.uint8)
    assert lesion_facts(region_pairs(nothing, nothing, ONE_MM, ["ET"])["ET"], np.eye(4)) == []
