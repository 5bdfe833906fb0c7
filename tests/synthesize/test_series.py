"""Series of a moved head lie where the movement puts them."""

import nibabel as nib
import numpy as np
import pytest

from glioseg.synthesize.series import Acquisition, acquire, distance_mm, draw_movement

AFFINE = np.array([[-1.0, 0, 0, 30], [0, -1, 0, 40], [0, 0, 1, -20], [0, 0, 0, 1]])


def test_a_movement_stays_within_its_bounds():
    random = np.random.default_rng(0)
    for _ in range(20):
        center = np.array([1.0, 2, 3])
        matrix = draw_movement(random, center)
        assert np.allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3))
        assert 4 < np.linalg.norm(nib.affines.apply_affine(matrix, center) - center) < 15.001
        assert np.degrees(np.arccos((np.trace(matrix[:3, :3]) - 1) / 2)) < 17.4


@pytest.mark.parametrize("how", [Acquisition(), Acquisition("RAS", 4), Acquisition("PIR", 2)])
def test_a_blob_is_found_where_the_movement_puts_it(how):
    grid = np.indices((60, 64, 56)).T - np.array([33, 30, 27])
    blob = (1000 * np.exp(-(grid**2).sum(-1).T / 30)).astype(np.int16)
    before = nib.affines.apply_affine(AFFINE, [33, 30, 27])
    movement = draw_movement(np.random.default_rng(5), before, distance_mm=8)
    voxels, affine = acquire(blob, AFFINE, movement, how)
    assert voxels.dtype == np.int16 and "".join(nib.aff2axcodes(affine)) == how.axes
    assert np.isclose(np.linalg.norm(affine[:3, :3], axis=0).max(), how.thick)
    places = np.argwhere(voxels > 0)
    center = np.average(places, weights=voxels[voxels > 0], axis=0)
    assert nib.affines.apply_affine(affine, center) == pytest.approx(
        nib.affines.apply_affine(movement, before), abs=0.3
    )


def test_the_distance_is_the_mean_over_the_brain():
    brain = np.ones((9, 9, 9), bool)
    shift = np.eye(4)
    shift[:3, 3] = (3, 4, 0)
    assert distance_mm(np.eye(4), shift, brain, AFFINE) == pytest.approx(5)
