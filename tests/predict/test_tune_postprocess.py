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


def test_thresholds_of_regions_are_those_of_the_best_dice():
    from glioseg.evaluate.metrics import score_regions
    from glioseg.predict.decide import regions_to_classes
    from glioseg.predict.postprocess import drop_small_enhancing
    from glioseg.predict.tune_postprocess import cut_all, on_grid, tune_regions

    random, names = np.random.default_rng(0), ["WT", "TC", "ET"]
    values = [on_grid(value) for value in (0.3, 0.5, 0.7)]
    cases, subjects = [], []
    for _ in range(8):
        truth = random.integers(0, 4, (6, 5, 4)).astype(np.uint8)
        maps = {name: (np.rint(random.random(truth.shape) * 255) / 255).astype(np.float32) for name in names}
        subjects.append((maps, truth))
        cases.append(cut_all(maps, truth, 0.5, values))
    dice = np.empty((3, 3, 3, 3))
    for place in np.ndindex(3, 3, 3):
        thresholds = {name: values[number] for name, number in zip(names, place, strict=True)}
        scores = [
            score_regions(truth, drop_small_enhancing(regions_to_classes(maps, thresholds), 0.5, 4), (1, 1, 1), names)
            for maps, truth in subjects
        ]
        dice[place] = np.mean([[score[name]["dice"] for name in names] for score in scores], 0)
    chosen, rows = tune_regions(cases, values, [values[1]] * 3, 4)
    # WT first, with the other two as configured, then TC, then ET.
    best = []
    for axis in range(3):
        line = dice[(*best, slice(None), *[1] * (2 - axis))]
        assert [row["ET"] for row in rows[3 * axis : 3 * axis + 3]] == pytest.approx(line[:, 2], abs=1e-4)
        best.append(int(line.mean(-1).argmax()))
    assert list(chosen.values()) == [values[place] for place in best]
    assert list(chosen) == ["threshold_wt", "threshold_tc", "threshold_et"]
    assert best != [1, 1, 1]


def test_an_absent_region_is_not_lost_to_a_low_threshold():
    from glioseg.predict.tune_postprocess import cut_all, on_grid, tune_regions

    values = [on_grid(value) for value in (0.3, 0.5, 0.7)]
    truth = np.full((4, 4, 4), 2, np.uint8)
    maps = {name: np.full(truth.shape, height, np.float32) for name, height in (("WT", 1), ("TC", 0.6), ("ET", 0.6))}
    case = cut_all(maps, truth, 1, values)
    chosen, _ = tune_regions([case], values, [0.5] * 3, 0)
    # The threshold of TC already removes both; that of ET is kept, because another gains nothing more.
    assert chosen == {"threshold_wt": 0.5, "threshold_tc": on_grid(0.7), "threshold_et": 0.5}
    # One patient with two visits counts as much as another: without a gain, everything is kept.
    other = cut_all(maps, np.full((4, 4, 4), 3, np.uint8), 1, values)
    assert set(tune_regions([case, case, other], values, [0.5] * 3, 0, ["a", "a", "b"])[0].values()) == {0.5}
    # A gain that is smaller than its standard error is chance: +2/3 twice, -2/3 once.
    assert set(tune_regions([case, case, other], values, [0.5] * 3, 0)[0].values()) == {0.5}
    assert tune_regions([case] * 5 + [other], values, [0.5] * 3, 0)[0]["threshold_tc"] == on_grid(0.7)


@pytest.mark.parametrize("threshold", [0.2, 0.4, 0.5, 0.61])
def test_a_map_and_its_probabilities_are_cut_alike(threshold):
    from glioseg.predict.tune_postprocess import on_grid

    probability = np.random.default_rng(0).random(100000).astype(np.float32)
    value = on_grid(threshold)
    assert value == pytest.approx(threshold, abs=0.002)
    # Other than a number that float32 cannot tell from the threshold.
    probability = probability[abs(probability - value) > 1e-6]
    assert ((np.rint(probability * 255) / 255 > value) == (probability > value)).all()
