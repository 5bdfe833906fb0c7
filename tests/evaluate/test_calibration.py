"""Compare calibration bins with results calculated by hand."""

import numpy as np
import pytest
from examples import PROBABILITIES, TRUTH

from glioseg.evaluate.calibration import EDGES, calibration, expected_error, missed, pooled


def test_bins_by_hand():
    bins = calibration(PROBABILITIES, TRUTH)
    assert bins["voxels"] == [2, 0, 2, 0, 0, 0, 0, 1, 0, 1]
    assert bins["true"] == [1, 0, 1, 0, 0, 0, 0, 1, 0, 1]
    assert bins["probability"] == pytest.approx([0.005, 0, 0.5, 0, 0, 0, 0, 0.75, 0, 1])
    # Four voxels outside the lowest bin. Summed probability and true voxels: 0.5 and 1, 0.75 and 1, 1 and 1.
    assert expected_error(bins) == pytest.approx((0.5 + 0.25 + 0) / 4)
    assert missed(bins) == 1 / 4


def test_an_edge_belongs_to_the_bin_above_and_1_to_the_last_bin():
    bins = calibration(np.array(EDGES, float), np.ones(len(EDGES), bool))
    assert bins["voxels"] == [1] * (len(EDGES) - 2) + [2]


def test_calibrated_probabilities_have_no_error_and_inverted_ones_a_large_error():
    random = np.random.default_rng(0)
    probabilities = random.uniform(0, 1, 200_000)
    truth = random.uniform(0, 1, 200_000) < probabilities
    assert expected_error(calibration(probabilities, truth)) < 0.01
    assert expected_error(calibration(1 - probabilities, truth)) > 0.4


def test_empty_cases_and_invalid_input():
    nothing = pooled([])
    assert np.isnan(expected_error(nothing)) and missed(nothing) == 0
    bins = calibration(PROBABILITIES, TRUTH)
    assert pooled([bins, bins])["voxels"] == [2 * count for count in bins["voxels"]]
    with pytest.raises(ValueError, match=r"expected probabilities of the shape \(1, 2, 3\), found \(2, 3\)"):
        calibration(PROBABILITIES[0], TRUTH)
    for wrong in (255, np.nan):
        with pytest.raises(ValueError, match="expected probabilities from 0 to 1, found"):
            calibration(PROBABILITIES * wrong, TRUTH)
