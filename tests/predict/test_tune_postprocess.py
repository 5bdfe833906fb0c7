"""Compare the search for size thresholds with dropping small tumor and scoring."""

import numpy as np
import pytest
from studies import tiny_subject


def test_size_thresholds_are_searched_on_held_out_subjects():
    from glioseg.evaluate.metrics import score_regions
    from glioseg.predict.postprocess import drop_small
    from glioseg.predict.tune_postprocess import count, dice_after, tune

    cases, pairs = [], []
    for number in (1, 2, 3):
        _, mask = tiny_subject(number)
        truth = np.array([0, 1, 2, 0, 3], np.uint8)[mask]
        predicted = np.roll(truth, 1, axis=0)
        predicted[:2, :2, :2] = 2  # 8 false positive voxels
        if number == 3:
            truth[truth == 3] = 1
            predicted[predicted == 3] = 1
            predicted[20, 20, 18:21] = 3  # 3 voxels of enhancing tumor, where the truth has none
        cases.append(count(predicted, truth, 0.001))
        pairs.append((predicted, truth))
    # dice_after gives the same as dropping and scoring.
    for case, (predicted, truth) in zip(cases, pairs, strict=True):
        for enhancing, component in ((0, 0), (0.004, 0), (0.004, 0.009), (0, 0.009), (99, 99)):
            dropped = drop_small(predicted, 0.001, enhancing, component)
            scores = score_regions(truth, dropped, (1, 1, 1), ["WT", "TC", "ET"])
            expected = [scores[name]["dice"] for name in ("WT", "TC", "ET")]
            assert dice_after(case, enhancing, component) == pytest.approx(expected)
    chosen, rows = tune(cases, (0, 0.004, 99), (0, 0.009), (0, 0))
    assert chosen == {"smallest_enhancing_ml": 0.004, "smallest_component_ml": 0.009}
    assert len(rows) == 6 and [row["chosen"] for row in rows].count("yes") == 1
    best = next(row for row in rows if row["chosen"])
    assert float(best["gain"]) > 0.1 and best["subjects"] == 3
    # The configured values are kept without a gain, and without values to try.
    assert tune(cases, (0, 99), (0,), (0.004, 0.009))[0] == chosen
    assert tune(cases, (), (), (0.5, 0.25))[0] == {"smallest_enhancing_ml": 0.5, "smallest_component_ml": 0.25}
    assert tune(cases[:2], (0, 0.004), (0,), (0, 0))[0]["smallest_enhancing_ml"] == 0
    with pytest.raises(ValueError, match="no other fold has a subject with a mask"):
        tune([], (0,), (0,), (0, 0))


def test_a_patient_counts_once_however_many_visits():
    from glioseg.predict.tune_postprocess import Case, tune

    def case(right):
        # One component of 1 ml; dropping it is right or wrong.
        truth = np.zeros(3) if right else np.ones(3)
        return Case(truth, np.ones((1, 3)), np.zeros((1, 3)) if right else np.ones((1, 3)))

    cases = [case(True), case(True), case(True), case(False), case(False)]
    # Dropping helps three visits of one patient, and harms two patients.
    assert tune(cases, (), (0, 2), (0, 0))[0]["smallest_component_ml"] == 2
    assert tune(cases, (), (0, 2), (0, 0), ["a", "a", "a", "b", "c"])[0]["smallest_component_ml"] == 0
