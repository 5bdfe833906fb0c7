"""Resampling a volume to another spacing."""

import numpy as np


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
