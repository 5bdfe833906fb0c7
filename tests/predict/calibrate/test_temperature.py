"""A temperature calibrates probabilities, is chosen by their Brier score, and changes no segmentation."""

import numpy as np
import pytest

from glioseg.predict.calibrate.temperature import LEAST, calibrated, count_values, tune_temperature


def logit(values):
    return np.log(values / (1 - values))


def test_a_temperature_divides_the_logit_and_keeps_one_half_and_the_order():
    values = np.linspace(0.01, 0.99, 99, dtype=np.float32)
    for temperature in (0.5, 1.5, 3):
        changed = calibrated(values, temperature)
        assert logit(changed) == pytest.approx(logit(values) / temperature, abs=1e-3)
        assert ((changed > 0.5) == (values > 0.5)).all() and (np.diff(changed) > 0).all()
    assert calibrated(values, 1) is values


def test_what_a_map_rounds_away_is_no_doubt():
    """Ends: nothing becomes certain that was not, and the small probabilities of healthy voxels do not grow."""
    values = np.array([0, 1e-9, LEAST / 2, 0.5, 0.9999, 1], np.float32)
    warm, cold = calibrated(values, 2), calibrated(values, 0.5)
    assert (warm[:3] == values[:3]).all() and (cold[:3] <= values[:3]).all()
    assert warm[4] == warm[5] < 1 and cold[5] == pytest.approx(1, abs=1e-5)
    rounded = np.rint(values * 255) / 255
    assert calibrated(rounded.astype(np.float32), 2)[4:] == pytest.approx(warm[4:])


def cases(rng, sharpness, count=8):
    """Subjects whose probabilities have the logit of the true ones times a factor."""
    found = []
    for _ in range(count):
        true = rng.uniform(-4, 4, (24, 24, 24))
        truth = np.where(rng.uniform(size=true.shape) < 1 / (1 + np.exp(-true)), 3, 0).astype(np.uint8)
        shown = 1 / (1 + np.exp(-sharpness * true))
        found.append(count_values(dict.fromkeys(("WT", "TC", "ET"), shown), truth))
    return found


@pytest.mark.parametrize(("sharpness", "expected"), [(1, 1.0), (1.5, 1.5), (2, 2.0), (0.5, 0.5)])
def test_the_temperature_that_made_the_probabilities_is_found(sharpness, expected):
    values = [0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0]
    chosen, rows = tune_temperature(cases(np.random.default_rng(0), sharpness), values, 1.0)
    assert chosen == expected
    scores = {row["temperature"]: row["brier"] for row in rows}
    assert list(scores) == values and min(scores, key=scores.get) == expected


def test_a_gain_below_its_standard_error_is_none():
    rng = np.random.default_rng(1)
    odd = [*cases(rng, 3, 1), *cases(rng, 0.4, 4)]
    assert tune_temperature(odd, [1.0, 1.2], 1.0)[0] == 1.0
    assert tune_temperature(odd, [], 1.1) == (1.1, [])
    # The visits of one patient count together, and so have no standard error.
    assert tune_temperature(odd[:1] * 3, [3.0], 1.0, ["a", "a", "a"])[0] == 3.0


def test_counts_by_hand():
    maps = {"WT": np.array([0, 0.2, 1]), "TC": np.array([0, 0, 1]), "ET": np.array([0, 0, 0])}
    counts = count_values(maps, np.array([0, 2, 3], np.uint8))
    assert counts[0].nonzero()[0].tolist() == [0] and counts[0, 0] == 5
    assert counts[1].nonzero()[0].tolist() == [0, 51, 255] and counts[1, [0, 51, 255]].tolist() == [1, 1, 2]
