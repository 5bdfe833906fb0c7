"""Volumes of any orientation are converted to LPS order and back."""

import nibabel as nib
import numpy as np
import pytest

from glioseg.volumes.orientation import from_lps, rotation, to_lps, voxel_ml


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR", "SAL", "ARI"])
@pytest.mark.parametrize("tilt", [0, 0.3])
def test_every_orientation_is_converted_to_lps_and_back(codes, tilt):
    tilted = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    axes = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    affine = np.eye(4)
    affine[:3, :3] = tilted @ np.array([axes[code] for code in codes]).T @ np.diag([1, 2, 3])
    affine[:3, 3] = 7, -8, 9
    voxels = np.random.default_rng(0).normal(size=(4, 5, 6))
    turned, lps = to_lps(voxels, affine)
    assert nib.aff2axcodes(lps) == ("L", "P", "S")
    assert np.shares_memory(turned, voxels)
    # The position of each voxel in the patient is unchanged.
    at = np.argwhere(np.isin(turned, voxels[:2, 1:3, 2:4]))
    for index in at:
        (source,) = np.argwhere(voxels == turned[tuple(index)])
        assert lps @ [*index, 1] == pytest.approx(affine @ [*source, 1])
    back = from_lps(turned, affine)
    assert back.shape == voxels.shape
    assert (back == voxels).all()


def test_a_rotation_by_hand():
    quarter = np.pi / 2
    assert rotation((quarter, 0, 0)) @ (0, 1, 0) == pytest.approx([0, 0, 1])
    assert rotation((0, quarter, 0)) @ (1, 0, 0) == pytest.approx([0, 0, 1])
    assert rotation((0, 0, quarter)) @ (1, 0, 0) == pytest.approx([0, 1, 0])
    # The rotation about the last axis is applied first.
    assert rotation((quarter, 0, quarter)) @ (1, 0, 0) == pytest.approx([0, 0, 1])


def test_the_volume_of_a_voxel():
    assert voxel_ml((1, 2, 5)) == pytest.approx(0.01)
