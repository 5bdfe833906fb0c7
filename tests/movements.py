"""Series of a phantom that was moved between them."""

import nibabel as nib
import numpy as np

from glioseg.synthesize.series import Acquisition, acquire


def coarse(voxels: np.ndarray, affine: np.ndarray, step: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Every second voxel along each axis, which makes tests short."""
    return voxels[::step, ::step, ::step], affine @ np.diag([step, step, step, 1])


def moved(
    voxels: np.ndarray, affine: np.ndarray, movement: np.ndarray, axes: str = "LPS", thick: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """A volume after a movement of the head, in slices of so many voxels, with axes in another order."""
    return acquire(voxels, affine, movement, Acquisition(axes, thick))


def center_of(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """World position (mm) of the center of a brain."""
    return nib.affines.apply_affine(affine, np.argwhere(voxels > 0)[::97]).mean(0)
