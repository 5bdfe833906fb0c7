"""The common grid of a subject, and conversions to SimpleITK, whose world has two axes that point the other way.

Affines and transforms are 4x4 matrices in world mm, whose axes point right, front and up, as in NIfTI.
"""

from typing import NamedTuple

import numpy as np

from glioseg.volumes.boxes import Box
from glioseg.volumes.orientation import spacing_mm, to_lps

# SimpleITK is imported inside the functions, since it takes long to load and not every command needs it.

# From the world of NIfTI to that of ITK, and back.
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


class Grid(NamedTuple):
    """Shape (voxels) and affine (4x4, mm) of a volume."""

    shape: tuple[int, int, int]
    affine: np.ndarray


def common_grid(shape: tuple[int, ...], affine: np.ndarray, voxel_mm: float) -> Grid:
    """The grid with cubic voxels that covers a volume, with the volume's own directions in LPS order.

    A volume whose voxels have this size already keeps its voxels.
    """
    turned, affine = to_lps(np.broadcast_to(np.uint8(0), shape), affine)
    sizes = np.array(spacing_mm(affine))
    new = affine.copy()
    if np.allclose(sizes, voxel_mm, rtol=0.01):
        return Grid(turned.shape, new)
    new[:3, :3] *= voxel_mm / sizes
    # The outer faces of the first voxels lie on each other.
    new[:3, 3] += (new[:3, :3] - affine[:3, :3]) @ np.full(3, 0.5)
    lengths = np.ceil(np.array(turned.shape) * sizes / voxel_mm - 1e-3).astype(int)
    return Grid(tuple(int(length) for length in lengths), new)


def same_grid(one: Grid, other: Grid) -> bool:
    """Whether two grids have the same shape, and place every voxel within a hundredth of a mm."""
    if tuple(one.shape) != tuple(other.shape):
        return False
    difference = np.abs(one.affine - other.affine)[:3]
    return bool((difference[:, :3] @ np.array(one.shape) + difference[:, 3]).max() < 0.01)


def moved_by(affine: np.ndarray, box: Box) -> np.ndarray:
    """The affine (4x4, mm) of the part of a volume in a box."""
    return shifted(affine, [low for low, _ in box])


def shifted(affine: np.ndarray, voxels) -> np.ndarray:
    """An affine whose first voxel is moved by a number of voxels along each axis."""
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ np.asarray(voxels, float)
    return moved


def itk_image(voxels: np.ndarray, affine: np.ndarray):
    """A volume (3-D, in its own dtype) as an image of SimpleITK in its world."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.T))
    _place(image, affine)
    return image


def itk_grid(grid: Grid):
    """A grid as an empty image of SimpleITK."""
    import SimpleITK as sitk

    image = sitk.Image([int(length) for length in grid.shape], sitk.sitkUInt8)
    _place(image, grid.affine)
    return image


def itk_transform(matrix: np.ndarray):
    """The affine transform of SimpleITK that moves points of the world as a matrix (4x4, mm) does."""
    import SimpleITK as sitk

    flipped = FLIP @ matrix @ FLIP
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(flipped[:3, :3].ravel().tolist())
    transform.SetTranslation(flipped[:3, 3].tolist())
    return transform


def matrix_of(transform) -> np.ndarray:
    """The matrix (4x4, mm) of a linear transform of SimpleITK; the inverse of `itk_transform`."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(transform.TransformPoint(tuple(unit))) - origin for unit in np.eye(3)]
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.stack(columns, -1), origin
    return FLIP @ matrix @ FLIP


def resampled(image, grid: Grid, to_image: np.ndarray) -> np.ndarray:
    """An image of SimpleITK on a grid (float32, linear between voxels, 0 outside of the image).

    to_image: matrix (4x4, mm) from the world of the grid to that of the image.
    """
    import SimpleITK as sitk

    found = sitk.Resample(image, itk_grid(grid), itk_transform(to_image), sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    return sitk.GetArrayFromImage(found).T


def _place(image, affine: np.ndarray) -> None:
    """Give an image of SimpleITK its place in the world."""
    flipped = FLIP @ affine
    sizes = np.linalg.norm(flipped[:3, :3], axis=0)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((flipped[:3, :3] / sizes).ravel().tolist())
    image.SetOrigin(flipped[:3, 3].tolist())
