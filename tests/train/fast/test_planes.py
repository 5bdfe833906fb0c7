"""Planes of a patch are converted exactly, and no voxel is lost."""

import numpy as np
import pytest

from glioseg.train.fast.planes import planes_of, voxels


def test_every_finite_number_is_converted_exactly():
    numbers = np.arange(2**16, dtype=np.uint16).view(np.float16)
    numbers = numbers[np.isfinite(numbers)].reshape(1, 1, -1, 2)
    ((_, part, _),) = planes_of(numbers, {})
    assert part.dtype == np.float32
    assert (part.view(np.int32) == numbers.astype(np.float32).view(np.int32)).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_planes_make_up_the_image_and_say_where_it_is_zero(channels, kind):
    random = np.random.default_rng(channels)
    image = (random.integers(0, 2, (7, 4, 5, channels)) * random.normal(size=(7, 4, 5, channels))).astype(kind)
    other = np.ones(image.shape[:3], np.float32)
    found, zero = np.empty(image.shape, np.float32), np.empty(image.shape[:3], bool)
    for planes, part, outside in planes_of(image, {0: other}):
        found[planes], zero[planes] = part, outside
    assert (found[..., 0] == 1).all()
    assert (found[..., 1:] == image[..., 1:]).all()
    assert (zero == (image == 0).all(-1)).all()
    assert 0 < zero.sum() < zero.size


def test_whole_voxels_are_copied_in_a_view_with_negative_strides():
    image = np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3)
    flipped = np.zeros_like(image)
    voxels(np.flip(flipped, (0, 2)))[...] = voxels(image)
    assert (flipped == np.flip(image, (0, 2))).all()
