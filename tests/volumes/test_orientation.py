"""Every orientation becomes LPS and comes back."""

import nibabel as nib
import numpy as np
import pytest

from glioseg.volumes.orientation import from_lps, to_lps


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR", "SAL", "ARI"])
@pytest.mark.parametrize("tilt", [0, 0.3])
def test_every_orientation_becomes_lps_and_comes_back(codes, tilt):
    rotation = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    axes = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.array([axes[code] for code in codes]).T @ np.diag([1, 2, 3])
    affine[:3, 3] = 7, -8, 9
    voxels = np.random.default_rng(0).normal(size=(4, 5, 6))
    turned, lps = to_lps(voxels, affine)
    assert nib.aff2axcodes(lps) == ("L", "P", "S")
    assert np.shares_memory(turned, voxels)
    # Each voxel is still at its place in the patient.
    at = np.argwhere(np.isin(turned, voxels[:2, 1:3, 2:4]))
    for index in at:
        (source,) = np.argwhere(voxels == turned[tuple(index)])
        assert lps @ [*index, 1] == pytest.approx(affine @ [*source, 1])
    back = from_lps(turned, affine)
    assert back.shape == voxels.shape
    assert (back == voxels).all()
