"""Interpolation reproduces a linear function exactly, and voxels exactly at their own positions."""

import numpy as np
import pytest

from glioseg.volumes.trilinear import interpolate


def test_interpolation_between_eight_voxels_by_hand():
    volume = np.arange(8, dtype=np.float32)  # (2, 2, 2): 4 x + 2 y + z
    steps = [(4, np.float32(0.5)), (2, np.float32(0.25)), (1, np.float32(0))]
    assert interpolate(volume.take, np.array([0]), steps) == pytest.approx([4 * 0.5 + 2 * 0.25])
    assert interpolate(volume.take, np.array([0]), steps[::-1]) == pytest.approx([2.5])


def test_without_steps_the_voxels_themselves_are_read():
    assert interpolate(np.array([5, 6, 7]).take, np.array([2, 0]), []).tolist() == [7, 5]
