"""Resampling keeps positions and creates no new labels."""

import numpy as np
import pytest

from glioseg.volumes.resample import resample, resampled_shape


def test_resampling_keeps_positions():
    # A linear function of position in mm is unchanged on the finer grid, except at the edges.
    ramp = (np.arange(12, dtype=np.float32) + 0.5)[:, None, None] * 2 * np.ones((1, 4, 6), np.float32)
    shape = resampled_shape(ramp.shape, (2, 1, 1), (1, 1, 1))
    fine = resample(ramp, (2, 1, 1), (1, 1, 1), shape)
    assert shape == (24, 4, 6)
    assert fine[2:-2, 1, 1] == pytest.approx(np.arange(2, 22) + 0.5)
    back = resample(fine, (1, 1, 1), (2, 1, 1), ramp.shape)
    assert back[1:-1] == pytest.approx(ramp[1:-1])
    assert resample(ramp, (2, 1, 1), (2, 1, 1), ramp.shape) is ramp


def test_resampling_a_mask_creates_no_new_values():
    mask = np.random.default_rng(1).integers(0, 4, (6, 7, 8)).astype(np.uint8)
    fine = resample(mask, (1, 1, 3), (1, 1, 1), (6, 7, 24), nearest=True)
    assert fine.dtype == np.uint8
    assert (fine == np.repeat(mask, 3, axis=2)).all()
