"""Test that a pair of regions rejects unusable arrays, and the penalty of an absent region."""

import math

import numpy as np
import pytest
from examples import EMPTY, ONE_MM

from glioseg.evaluate.metrics import score_classes, score_regions
from glioseg.evaluate.region_pair import ABSENT_HD95_MM, Pair


def test_penalty_of_an_absent_region_is_the_diagonal_of_a_brats_scan() -> None:
    assert pytest.approx(math.hypot(240, 240, 155), abs=0.005) == ABSENT_HD95_MM


def test_unusable_arrays_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"expected one shape, found \(4, 4, 4\) and \(4, 4, 1\)"):
        Pair(EMPTY, EMPTY[..., :1], ONE_MM, 64)
    with pytest.raises(ValueError, match="expected booleans, found bool and uint8"):
        Pair(EMPTY, EMPTY.astype(np.uint8), ONE_MM, 64)
    with pytest.raises(ValueError, match="expected 3 values, one for each axis, found 2"):
        Pair(EMPTY, EMPTY, (1.0, 1.0), 64)
    for scores_of in (score_regions, score_classes):
        with pytest.raises(ValueError, match=r"expected one shape, found \(4, 4, 4\) and \(4, 4, 1\)"):
            scores_of(EMPTY.astype(np.uint8), EMPTY[..., :1].astype(np.uint8), ONE_MM, [])
