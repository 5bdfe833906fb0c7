"""Interpolated values equal those of SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from glioseg.train.fast.interpolate import read_values


def test_values_equal_those_of_scipy():
    random = np.random.default_rng(0)
    for shape, bent in (((9, 7, 8), True), ((9, 7, 8), False), ((9, 1, 8), False)):
        values = random.normal(size=(*shape, 3)).astype(np.float16)
        mask = random.integers(0, 4, shape).astype(np.uint8)
        parts = [random.uniform(low, high, (3, count)) for low, high, count in ((-1, 4, 6), (0, 3, 7), (0, 3, 9))]
        for part in parts:
            part[:, 0] = np.round(part[:, 0])
            part[1] *= shape[1] > 1
        parts = [part.astype(np.float32) for part in parts]
        places = parts[0][:, :, None, None] + parts[1][:, None, :, None] + parts[2][:, None, None, :]
        if bent:
            parts.append(random.uniform(-1, 1, places.shape).astype(np.float32))
            places += parts[-1]
        found, tissues = read_values(values, mask, *parts)
        for channel in range(3):
            volume = values[..., channel].astype(np.float32)
            expected = ndimage.map_coordinates(volume, places, order=1, mode="constant")
            assert found[..., channel] == pytest.approx(expected, abs=1e-5)
        assert found.any()
        assert (found == 0).all(-1).any()
        assert (tissues == ndimage.map_coordinates(mask, places, order=0, mode="constant")).all()
