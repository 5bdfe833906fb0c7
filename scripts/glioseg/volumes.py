"""Volumes on disk and in memory: NIfTI with its geometry, the crop box, the target spacing, and the way back.

Inside this library all arrays are in LPS order: their axes run to the patient's left, back and top, as in BraTS.
"""

from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, io_orientation, ornt_transform

from glioseg.nifti import open_nifti, take_volume
from glioseg.outputs import whole

LPS = axcodes2ornt("LPS")

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def read_volume(path: Path | str, volume: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (float32, 3-D, in the file's own order) and affine (4x4, mm) of one volume of a NIfTI file.

    Raises ValueError with a sentence that names the file where it can't be read or has no such volume.
    """
    voxels, affine = take_volume(open_nifti(path), volume)
    return voxels.astype(np.float32), affine


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


def nifti_of(voxels: np.ndarray, affine: np.ndarray) -> nib.Nifti1Image:
    """A volume (3-D) in its own dtype as a NIfTI image, with the affine (4x4, mm) as both sform and qform."""
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    return image


def write_volume(path: Path | str, voxels: np.ndarray, affine: np.ndarray) -> None:
    """Write a volume as `nifti_of` makes it."""
    image = nifti_of(voxels, affine)
    with whole(path) as partial:
        nib.save(image, partial)


def write_map(path: Path | str, values: np.ndarray, affine: np.ndarray) -> None:
    """Write a map of values from 0 to 1 (3-D) as bytes with a scale, which readers turn into floating point."""
    image = nifti_of(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8), affine)
    image.header.set_slope_inter(1 / 255, 0)
    with whole(path) as partial:
        nib.save(image, partial)


def spacing_mm(affine: np.ndarray) -> tuple[float, float, float]:
    """Voxel size along the three array axes, in mm, of an affine (4x4)."""
    return tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0).round(6))


def background_value(volume: np.ndarray) -> float | None:
    """The constant outside the brain: the value of most voxels on the six outer faces; None where no value has most."""
    faces = np.concatenate([volume[index].ravel() for axis in range(3) for index in _ends(axis)])
    # What more than half of them have is in the middle of them.
    middle = np.partition(faces, faces.size // 2)[faces.size // 2]
    return float(middle) if 2 * np.count_nonzero(faces == middle) > faces.size else None


def brain_mask(volume: np.ndarray, background: float | None) -> np.ndarray:
    """Boolean mask (same shape) of the voxels that differ from their background; all of them where there is none."""
    if background is None:
        return np.ones(volume.shape, bool)
    # In the volume's own type: integers are compared without becoming floating point first.
    return volume != volume.dtype.type(background)


def bounding_box(mask: np.ndarray) -> Box:
    """Smallest half-open box around the True voxels of a 3-D mask; the whole array where there are none."""
    # Of a file's order, the last axis is the cheapest to sum up.
    seen = mask.any(axis=2)
    box = []
    for line in (seen.any(axis=1), seen.any(axis=0), mask.any(axis=(0, 1))):
        hits = np.flatnonzero(line)
        box.append((int(hits[0]), int(hits[-1]) + 1) if hits.size else (0, line.size))
    return tuple(box)


def hull(boxes: Iterable[Box]) -> Box:
    """Smallest box around one or more boxes."""
    return tuple((min(low for low, _ in edges), max(high for _, high in edges)) for edges in zip(*boxes, strict=True))


def grow(box: Box, shape: tuple[int, int, int]) -> Box:
    """A box with a margin of one voxel, where the array of this shape goes on."""
    return tuple((max(low - 1, 0), min(high + 1, length)) for (low, high), length in zip(box, shape, strict=True))


def relative(box: Box, outer: Box) -> Box:
    """A box in the voxels of an outer box that holds it."""
    return tuple((low - start, high - start) for (low, high), (start, _) in zip(box, outer, strict=True))


def within(outer: Box, box: Box) -> Box:
    """The way back of `relative`: a box that is given in the voxels of an outer one."""
    return tuple((start + low, start + high) for (low, high), (start, _) in zip(box, outer, strict=True))


def overlap(one: Box, other: Box) -> Box:
    """The box that two boxes share; of no length along an axis where they don't meet."""
    edges = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other, strict=True)]
    return tuple((low, max(low, high)) for low, high in edges)


def lengths(box: Box) -> tuple[int, int, int]:
    """Voxels along each axis of a box."""
    return tuple(high - low for low, high in box)


def cut(volume: np.ndarray, box: Box) -> np.ndarray:
    """The part of a volume (3-D or 4-D) inside a half-open box of its first three axes."""
    return volume[tuple(slice(*edge) for edge in box)]


def copy_rows(volume: np.ndarray, rows: np.ndarray) -> None:
    """Copy a volume (3-D) into an array whose last axis is contiguous, as arrays are saved; a file's first one is."""
    # Slab by slab, what is read and what is written stay in the cache.
    for start in range(0, volume.shape[1], 8):
        rows[:, start : start + 8] = volume[:, start : start + 8]


def resample(volume: np.ndarray, spacing: tuple, target: tuple, shape: tuple, *, nearest: bool = False) -> np.ndarray:
    """Resample a 3-D volume from one spacing (mm) to another of a given shape, aligned at the outer voxel faces.

    Linear (float32), or nearest neighbour with the dtype kept. The volume itself where nothing changes.
    """
    if volume.shape == tuple(shape) and np.allclose(spacing, target, atol=1e-3):
        return volume
    # Not above: half of the subjects need no resampling, and it takes as long to load as all else.
    import SimpleITK as sitk

    # SimpleITK's axes run backwards from NumPy's; directions are the array's own, so only sizes matter here.
    image = sitk.GetImageFromArray(volume if nearest else volume.astype(np.float32))
    image.SetSpacing([float(size) for size in spacing[::-1]])
    grid = sitk.Image([int(size) for size in shape[::-1]], image.GetPixelID())
    grid.SetSpacing([float(size) for size in target[::-1]])
    grid.SetOrigin([(new - old) / 2 for new, old in zip(target[::-1], spacing[::-1], strict=True)])
    method = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    # Beyond the outermost voxel centers a linear interpolator has no neighbor: there it takes the edge's value.
    return sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), method, 0.0, image.GetPixelID(), True))


def resampled_shape(shape: tuple, spacing: tuple, target: tuple) -> tuple[int, int, int]:
    """Voxels along each axis (at least 1) that a grid has after resampling to the target spacing (mm)."""
    return tuple(max(1, round(n * old / new)) for n, old, new in zip(shape, spacing, target, strict=True))


def _ends(axis: int) -> list[tuple]:
    return [(slice(None),) * axis + (end,) for end in (0, -1)]
