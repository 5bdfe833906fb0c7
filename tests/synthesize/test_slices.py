"""Slices blur an image, are thick, and may end before the brain does."""

import numpy as np
import pytest

from glioseg.synthesize.slices import leave_ends, soften


def ball(size=20):
    away = np.linalg.norm(np.indices((size,) * 3) - (size - 1) / 2, axis=0)
    return (away < size / 3).astype(np.float32)


@pytest.mark.parametrize(
    ("planes", "ends", "empty"),
    [
        (range(3, 17), (2, 0), [0, 1, 2, 3, 4]),
        (range(3, 17), (0, 3), [14, 15, 16, 17, 18, 19]),
        # Where a patch cuts the brain, its end is elsewhere.
        (range(0, 17), (2, 1), [16, 17, 18, 19]),
        (range(3, 20), (1, 4), [0, 1, 2, 3]),
        ([], (2, 2), []),
    ],
)
def test_ends_have_no_signal(planes, ends, empty):
    volume = np.ones((20, 20, 20), np.float32)
    leave_ends(volume, np.array(planes, int), np.array(ends, float))
    assert np.flatnonzero(~volume.any((0, 1))).tolist() == empty


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_thick_slices_change_linearly_between_the_planes_that_were_seen(axis):
    thick = np.moveaxis(soften(ball(21), 0.1, 5, axis), axis, 0)
    seen = [0, 7, 13, 20]
    bends = np.abs(np.diff(thick, 2, axis=0)).max((1, 2))
    assert set(np.flatnonzero(bends > 1e-3) + 1) <= {6, 7, 8, 12, 13, 14}
    # A slice is the mean of what it holds.
    assert thick[seen].max() < 1
    assert thick.sum() == pytest.approx(ball(21).sum(), rel=0.15)


def test_thin_slices_are_only_blurred():
    sharp, blurred = (soften(ball(), blur, 1, 2) for blur in (0.1, 1.0))
    np.testing.assert_allclose(sharp, ball(), atol=1e-3)
    assert blurred.sum() == pytest.approx(ball().sum(), rel=1e-3)
    assert blurred.std() < sharp.std()
