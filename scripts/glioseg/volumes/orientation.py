"""Orientation and voxel size: converting a volume from a file's own order to LPS order and back.

All arrays in this library are in LPS order: their axes point to the patient's left, back and top, as in BraTS.
"""

from collections.abc import Sequence

import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

LPS = axcodes2ornt("LPS")


def lps_turn(affine: np.ndarray) -> np.ndarray:
    """How to swap and flip a file's axes to bring them into LPS order (an orientation array of nibabel).

    Each axis of an oblique affine (4x4, mm) counts as the nearest anatomical axis. The affine must pass
    `checks.geometry`.
    """
    return ornt_transform(io_orientation(affine), LPS)


def to_lps(voxels: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A volume (its first three axes) and its affine (4x4, mm) in LPS order, as a view without resampling."""
    turn = lps_turn(affine)
    return apply_orientation(voxels, turn), affine @ inv_ornt_aff(turn, voxels.shape[:3])


def from_lps(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """A volume in LPS order, back in the order of the file with this affine (4x4, mm); the inverse of `to_lps`."""
    return apply_orientation(voxels, ornt_transform(LPS, io_orientation(affine)))


def rotation(angles: Sequence[float]) -> np.ndarray:
    """Matrix (3, 3) that rotates by three angles (radians) about the three axes, about the last axis first.

    A positive angle about the second axis rotates the first axis towards the third.
    """
    # Imported here: it takes as long to load as everything else, and only phantoms and training patches are rotated.
    from scipy.spatial.transform import Rotation

    first, second, third = angles
    return Rotation.from_euler("XYZ", (first, -second, third)).as_matrix()


def voxel_ml(spacing_mm: Sequence[float]) -> float:
    """Volume of a voxel (ml), from its size along the axes (mm)."""
    return float(np.prod(spacing_mm)) / 1000


def spacing_mm(affine: np.ndarray) -> tuple[float, float, float]:
    """Voxel size (mm) along the three array axes, from an affine (4x4, mm)."""
    return tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0).round(6))
