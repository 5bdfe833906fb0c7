"""The orientation of a volume's axes: from a file's own order to LPS and back, and the voxel size.

Inside this library all arrays are in LPS order: their axes run to the patient's left, back and top, as in BraTS."""

from collections.abc import Sequence

import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

LPS = axcodes2ornt("LPS")


def lps_turn(affine: np.ndarray) -> np.ndarray:
    """How to swap and flip a file's axes (an orientation array of nibabel) to bring them into LPS order.

    The axes of an oblique affine (4x4, mm) count as the patient's nearest ones. It must pass `checks.geometry`.
    """
    return ornt_transform(io_orientation(affine), LPS)


def to_lps(voxels: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A volume (its first three axes) and its affine (4x4, mm) in LPS order: a view, never resampled."""
    turn = lps_turn(affine)
    return apply_orientation(voxels, turn), affine @ inv_ornt_aff(turn, voxels.shape[:3])


def from_lps(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The way back of `to_lps`: a volume in LPS order in the order of the file, whose affine (4x4, mm) is given."""
    return apply_orientation(voxels, ornt_transform(LPS, io_orientation(affine)))


def rotation(angles: Sequence[float]) -> np.ndarray:
    """Matrix (3, 3) of turns by three angles (radians) about the three axes, the last axis first.

    The turn about the second axis runs from the first axis to the third.
    """
    # Not above: it takes as long to load as all else, and only phantoms and training patches are turned.
    from scipy.spatial.transform import Rotation

    first, second, third = angles
    return Rotation.from_euler("XYZ", (first, -second, third)).as_matrix()


def voxel_ml(spacing_mm: Sequence[float]) -> float:
    """Volume of a voxel in ml, from its size along the axes (mm)."""
    return float(np.prod(spacing_mm)) / 1000


def spacing_mm(affine: np.ndarray) -> tuple[float, float, float]:
    """Voxel size along the three array axes, in mm, of an affine (4x4)."""
    return tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0).round(6))
