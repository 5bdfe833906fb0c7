"""The brain is the set of voxels that differ from the background."""

import numpy as np
import pytest

from glioseg.volumes.boxes import bounding_box
from glioseg.volumes.brain import background_value, brain_mask


@pytest.mark.parametrize("background", [0.0, -3.6243944])
def test_the_brain_differs_from_the_background(background):
    volume = np.full((8, 9, 10), background, np.float32)
    volume[2:5, 3:6, 4:9] = 1
    assert background_value(volume) == pytest.approx(background)
    brain = brain_mask(volume, background_value(volume))
    assert brain.sum() == 3 * 3 * 5
    assert bounding_box(brain) == ((2, 5), (3, 6), (4, 9))


def test_a_scan_without_background_is_all_brain():
    volume = np.random.default_rng(0).normal(size=(5, 5, 5)).astype(np.float32)
    assert background_value(volume) is None
    assert brain_mask(volume, None).all()
