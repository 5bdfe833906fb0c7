"""Softened volumes equal those of SciPy's filter and NumPy's interpolation."""

import numpy as np
import pytest
from scipy import ndimage

from glioseg.train.fast.soften import soften

# Longer than a block of rows, and of three lengths.
VOLUME = np.random.default_rng(0).normal(size=(70, 33, 40)).astype(np.float32)


def coarsened(volume, factor):
    """Linear interpolation between evenly spaced voxels, along one axis after another."""
    for axis, length in enumerate(volume.shape):
        size = round(length / factor)
        kept = volume.take(np.linspace(0, length - 1, size).round().astype(int), axis)
        places = np.linspace(0, size - 1, length)
        volume = np.apply_along_axis(lambda line, at=places: np.interp(at, np.arange(len(line)), line), axis, kept)
    return volume


@pytest.mark.parametrize("blur", [0.05, 0.7, 1.5])
@pytest.mark.parametrize("factor", [1, 1.3, 2])
def test_blur_and_resolution_equal_those_of_scipy_and_numpy(blur, factor):
    expected = coarsened(ndimage.gaussian_filter(VOLUME, blur, truncate=3), factor)
    assert soften(VOLUME, blur, factor) == pytest.approx(expected, abs=2e-5)


def test_resolution_alone_and_no_change():
    assert soften(VOLUME, 0, 1.7) == pytest.approx(coarsened(VOLUME, 1.7), abs=1e-5)
    assert (soften(VOLUME, 0, 1) == VOLUME).all()
    # At least two voxels are kept along each axis.
    assert soften(np.ones((3, 4, 5), np.float32), 0.5, 9) == pytest.approx(1)
