"""Series of a phantom as a scanner gives them: the head moves in between, slices are thick, axes have other orders."""

from typing import NamedTuple

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform
from scipy import ndimage

from glioseg.volumes.orientation import rotation


class Acquisition(NamedTuple):
    """How a series is acquired: the axes of its file, such as "RAS", and the thickness of its slices in voxels."""

    axes: str = "LPS"
    thick: int = 1


def draw_movement(
    random: np.random.Generator, center: np.ndarray, degrees: float = 10.0, distance_mm: float = 15.0
) -> np.ndarray:
    """Matrix (4x4, mm) of a movement about a point: up to so many degrees about each axis, and up to so many mm."""
    shift = random.normal(size=3)
    shift *= distance_mm * random.uniform(0.3, 1) / np.linalg.norm(shift)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.radians(degrees) * random.uniform(-1, 1, 3))
    matrix[:3, 3] = center + shift - matrix[:3, :3] @ center
    return matrix


def acquire(
    voxels: np.ndarray, affine: np.ndarray, movement: np.ndarray, how: Acquisition
) -> tuple[np.ndarray, np.ndarray]:
    """A volume (background 0) after a movement (4x4, mm) of the head: int16, and its affine (4x4, mm).

    The slices lie across the last axis of the volume, and each is the mean over its thickness.
    """
    back = np.linalg.inv(affine) @ np.linalg.inv(movement) @ affine
    found = ndimage.affine_transform(voxels.astype(np.float32), back[:3, :3], back[:3, 3], order=1)
    affine = affine.copy()
    if how.thick > 1:
        count = found.shape[2] // how.thick
        found = found[:, :, : count * how.thick].reshape(*found.shape[:2], count, how.thick).mean(-1)
        affine[:3, 3] += affine[:3, 2] * (how.thick - 1) / 2
        affine[:3, 2] *= how.thick
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(how.axes))
    whole = np.rint(found).astype(np.int16)
    return apply_orientation(whole, turn), affine @ inv_ornt_aff(turn, whole.shape)


def distance_mm(one: np.ndarray, other: np.ndarray, brain: np.ndarray, affine: np.ndarray) -> float:
    """Mean distance (mm) at which two matrices (4x4, mm) place the voxels of a brain (bool)."""
    points = nib.affines.apply_affine(affine, np.argwhere(brain)[::97])
    both = (nib.affines.apply_affine(matrix, points) for matrix in (one, other))
    return float(np.linalg.norm(np.subtract(*both), axis=1).mean())
