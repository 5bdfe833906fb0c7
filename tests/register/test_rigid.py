"""Two series of a head that moved between them are aligned, the same way each time."""

import numpy as np
import pytest
from movements import center_of, coarse, moved
from studies import tiny_subject

from glioseg.register.rigid import align
from glioseg.synthesize.anatomy import AFFINE
from glioseg.synthesize.series import distance_mm, draw_movement


@pytest.mark.parametrize(("name", "axes", "thick"), [("flair", "RAS", 3), ("t2", "PIR", 1)])
def test_a_moved_series_is_brought_back_within_a_millimeter(patient, name, axes, thick):
    fixed, affine = coarse(patient[0]["t1ce"], AFFINE)
    random = np.random.default_rng(thick)
    movement = draw_movement(random, center_of(fixed, affine))
    series = moved(*coarse(patient[0][name], AFFINE), movement, axes, thick)
    assert distance_mm(np.eye(4), movement, fixed > 0, affine) > 5
    found = align((fixed, affine), series)
    assert distance_mm(found.matrix, movement, fixed > 0, affine) < 1
    assert found.nats_after > found.nats_before + 0.1
    # Bit for bit.
    again = align((fixed, affine), series)
    assert np.array_equal(again.matrix, found.matrix) and again[1:] == found[1:]


def test_a_series_whose_header_places_it_far_away_is_found(patient):
    fixed, affine = coarse(patient[0]["t1ce"], AFFINE)
    movement = np.eye(4)
    movement[:3, 3] = (300, -120, 80)
    voxels, placed = coarse(patient[0]["t1"], AFFINE)
    found = align((fixed, affine), (voxels, movement @ placed))
    assert distance_mm(found.matrix, movement, fixed > 0, affine) < 1
    assert found.nats_before == 0


def test_series_that_lie_on_each_other_are_not_moved():
    images, _ = tiny_subject(2)
    affine = np.diag([-1.0, -1, 1, 1])
    found = align((images["t1ce"], affine), (images["t2"], affine))
    assert np.array_equal(found.matrix, np.eye(4)) and found.nats_after == found.nats_before
