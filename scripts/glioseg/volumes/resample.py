"""Resampling volumes to another spacing."""

import numpy as np


def resample(volume: np.ndarray, spacing: tuple, target: tuple, shape: tuple, *, nearest: bool = False) -> np.ndarray:
    """Resample a 3-D volume from its spacing (mm) to a target spacing and shape, aligned at the outer voxel faces.

    Interpolation is linear (float32), or nearest neighbor with the dtype kept. If nothing changes, the volume itself is
    returned.
    """
    if volume.shape == tuple(shape) and np.allclose(spacing, target, atol=1e-3):
        return volume
    # Imported here: it takes as long to load as everything else, and half of the subjects need no resampling.
    import SimpleITK as sitk

    # SimpleITK's axes are in the reverse order of NumPy's. Both grids have the same directions, so only sizes matter.
    image = sitk.GetImageFromArray(volume if nearest else volume.astype(np.float32))
    image.SetSpacing([float(size) for size in spacing[::-1]])
    grid = sitk.Image([int(size) for size in shape[::-1]], image.GetPixelID())
    grid.SetSpacing([float(size) for size in target[::-1]])
    grid.SetOrigin([(new - old) / 2 for new, old in zip(target[::-1], spacing[::-1], strict=True)])
    method = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    # The last argument extrapolates: beyond the outermost voxel centers, the linear interpolator uses the edge's value.
    return sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), method, 0.0, image.GetPixelID(), True))


def resampled_shape(shape: tuple, spacing: tuple, target: tuple) -> tuple[int, int, int]:
    """Number of voxels along each axis (at least 1) after resampling to the target spacing (mm)."""
    return tuple(max(1, round(n * old / new)) for n, old, new in zip(shape, spacing, target, strict=True))
