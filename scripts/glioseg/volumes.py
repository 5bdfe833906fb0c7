"""Volumes on disk and in memory: NIfTI with its geometry, the crop box, the target spacing, and the way back."""

from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk

from glioseg.outputs import whole

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def read_volume(path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (float32, 3-D) and affine (4x4, mm) of a NIfTI file.

    Raises ValueError with a sentence that names the file where it can't be read or isn't one 3-D volume.
    """
    try:
        image = nib.load(path)
        voxels = np.asarray(image.dataobj, dtype=np.float32)
    except Exception as error:  # nibabel, gzip and zlib raise a dozen kinds for a damaged file
        raise ValueError(
            f"{path} cannot be read as NIfTI ({type(error).__name__}: {error}); copy the file anew"
        ) from error
    if voxels.ndim == 4 and voxels.shape[3] == 1:
        voxels = voxels[..., 0]
    if voxels.ndim != 3:
        raise ValueError(f"{path} holds an array of shape {voxels.shape}; expected one 3-D volume")
    return voxels, np.asarray(image.affine, dtype=np.float64)


def write_volume(path: Path | str, voxels: np.ndarray, affine: np.ndarray) -> None:
    """Write a volume (3-D) in its own dtype as NIfTI, with the affine (4x4, mm) as both sform and qform."""
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    with whole(path) as partial:
        nib.save(image, partial)


def spacing_mm(affine: np.ndarray) -> tuple[float, float, float]:
    """Voxel size along the three array axes, in mm, of an affine (4x4)."""
    return tuple(float(size) for size in np.linalg.norm(affine[:3, :3], axis=0).round(6))


def background_value(volume: np.ndarray) -> float | None:
    """The constant outside the brain: the value of most voxels on the six outer faces; None where no value has most."""
    faces = np.concatenate([volume[index].ravel() for axis in range(3) for index in _ends(axis)])
    values, counts = np.unique(faces, return_counts=True)
    most = counts.argmax()
    return float(values[most]) if 2 * counts[most] > faces.size else None


def brain_mask(volume: np.ndarray, background: float | None) -> np.ndarray:
    """Boolean mask (same shape) of the voxels that differ from the background; all of them where there is none."""
    return np.ones(volume.shape, bool) if background is None else volume != background


def bounding_box(mask: np.ndarray) -> Box:
    """Smallest half-open box around the True voxels of a 3-D mask; the whole array where there are none."""
    box = []
    for axis in range(3):
        hits = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        box.append((int(hits[0]), int(hits[-1]) + 1) if hits.size else (0, mask.shape[axis]))
    return tuple(box)


def cut(volume: np.ndarray, box: Box) -> np.ndarray:
    """The part of a volume (3-D or 4-D) inside a half-open box of its first three axes."""
    return volume[tuple(slice(*edge) for edge in box)]


def resample(volume: np.ndarray, spacing: tuple, target: tuple, shape: tuple, *, nearest: bool = False) -> np.ndarray:
    """Resample a 3-D volume from one spacing (mm) to another of a given shape, aligned at the outer voxel faces.

    Linear (float32), or nearest neighbour with the dtype kept. The volume itself where nothing changes.
    """
    if volume.shape == tuple(shape) and np.allclose(spacing, target, atol=1e-3):
        return volume
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
