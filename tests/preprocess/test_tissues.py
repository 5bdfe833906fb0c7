"""Tissue maps are cut like the image that they belong to."""

import numpy as np

from glioseg.preprocess.tissues import cut_tissues
from glioseg.synthesize.anatomy import BOX, BOX_SHAPE


def test_maps_are_cropped_and_resampled_as_the_image(tmp_path):
    maps = np.zeros((*BOX_SHAPE, 2), np.uint8)
    maps[10:30, 20:60, 40:50, 1] = 200
    np.save(tmp_path / "a.npy", maps)
    low = [part.start for part in BOX]
    crop = [[low[0] + 8, low[0] + 40], [low[1] + 20, low[1] + 60], [low[2] + 30, low[2] + 60]]
    facts = {"crop": crop, "spacing_mm": [1.0] * 3, "target_spacing_mm": [1.0] * 3, "array_shape": [32, 40, 30, 4]}
    found = cut_tissues(tmp_path / "a.npy", facts)
    np.testing.assert_array_equal(found, maps[8:40, 20:60, 30:60])
    half = cut_tissues(tmp_path / "a.npy", facts | {"target_spacing_mm": [2.0] * 3, "array_shape": [16, 20, 15, 4]})
    assert half.shape == (16, 20, 15, 2)
    np.testing.assert_array_equal(half[..., 1], found[::2, ::2, ::2, 1])
