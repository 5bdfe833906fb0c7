"""Series of a phantom that was moved between them, with thick slices and with other orders of axes."""

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from glioseg.register.grids import Grid, itk_image, resampled
from glioseg.volumes.orientation import rotation


def coarse(voxels: np.ndarray, affine: np.ndarray, step: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Every second voxel along each axis, which makes tests short."""
    return voxels[::step, ::step, ::step], affine @ np.diag([step, step, step, 1])


def points_of(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """World positions (N, 3) of some voxels of the brain."""
    return nib.affines.apply_affine(affine, np.argwhere(voxels > 0)[::97])


def draw_movement(random: np.random.Generator, center: np.ndarray, degrees=10.0, distance_mm=15.0) -> np.ndarray:
    """Matrix (4x4, mm) of a movement about a point: up to so many degrees about each axis, and up to so many mm."""
    shift = random.normal(size=3)
    shift *= distance_mm * random.uniform(0.3, 1) / np.linalg.norm(shift)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(np.radians(degrees) * random.uniform(-1, 1, 3))
    matrix[:3, 3] = center + shift - matrix[:3, :3] @ center
    return matrix


def moved(
    voxels: np.ndarray, affine: np.ndarray, movement: np.ndarray, axes: str = "LPS", thick: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """A volume (background 0) after a movement of the head, in slices of so many voxels, with axes in another order."""
    found = resampled(itk_image(voxels.astype(np.float32), affine), Grid(voxels.shape, affine), np.linalg.inv(movement))
    affine = affine.copy()
    if thick > 1:
        count = found.shape[2] // thick
        found = found[:, :, : count * thick].reshape(*found.shape[:2], count, thick).mean(-1)
        affine[:3, 3] += affine[:3, 2] * (thick - 1) / 2
        affine[:3, 2] *= thick
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(axes))
    whole = np.where(found < 1, 0, np.rint(found)).astype(np.int16)
    return apply_orientation(whole, turn), affine @ inv_ornt_aff(turn, whole.shape)


def error_mm(found: np.ndarray, movement: np.ndarray, points: np.ndarray) -> float:
    """Mean distance (mm) at which two matrices place points (N, 3)."""
    both = (nib.affines.apply_affine(matrix, points) for matrix in (found, movement))
    return float(np.linalg.norm(np.subtract(*both), axis=1).mean())
