"""Blur and lower resolution of a volume as products with banded matrices, one along each axis.

For half of the channels of a patch of 128³ voxels, a blur takes 54 ms instead of 122 ms with SciPy, and a lower
resolution 50 ms instead of 73. (benchmarks/augment.py, one thread of an AMD EPYC with AVX-512, 2026-11-28.)
"""

import numpy as np
from scipy import ndimage

BLOCK = 32


def soften(volume: np.ndarray, blur: float, coarse: float) -> np.ndarray:
    """Blur a volume (X, Y, Z) float32 by a Gaussian and lower its resolution; the result has the same shape.

    blur: standard deviation (voxels), 0 for none; coarse: factor. Of each axis, 1 / coarse of the voxels are kept,
    evenly spaced, and those between them are interpolated linearly.
    """
    shape = volume.shape
    kept = [_kept(length, coarse) for length in shape]
    if blur:
        for axis, places in enumerate(kept):
            spread = np.eye(volume.shape[axis], dtype=np.float32)
            volume = _along(axis, ndimage.gaussian_filter1d(spread, blur, axis=0, truncate=3)[places], volume)
    else:
        volume = volume[np.ix_(*kept)]
    for axis, (places, length) in enumerate(zip(kept, shape, strict=True)):
        if len(places) < length:
            between = np.linspace(0, len(places) - 1, length)[:, None] - np.arange(len(places))
            volume = _along(axis, np.maximum(1 - np.abs(between), 0).astype(np.float32), volume)
    return volume


def _kept(length: int, coarse: float) -> np.ndarray:
    """The voxels along an axis that a lower resolution keeps."""
    size = min(max(round(length / coarse), 2), length)
    return np.linspace(0, length - 1, size).round().astype(int)


def _along(axis: int, matrix: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Multiply a banded matrix (m, n) and a volume with n voxels along an axis, which then has m.

    Blocks of rows need only the columns that are not zero.
    """
    shape = list(volume.shape)
    shape[axis] = len(matrix)
    result = np.empty(shape, np.float32)
    for start in range(0, len(matrix), BLOCK):
        rows = slice(start, start + BLOCK)
        filled = np.flatnonzero(matrix[rows].any(0))
        columns = slice(filled[0], filled[-1] + 1)
        part = matrix[rows, columns]
        if axis == 0:
            np.matmul(part, volume[columns].reshape(part.shape[1], -1), result[rows].reshape(len(part), -1))
        elif axis == 1:
            np.matmul(part, volume[:, columns], result[:, rows])
        else:
            np.matmul(volume[..., columns], part.T, result[..., rows])
    return result
