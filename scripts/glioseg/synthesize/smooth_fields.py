"""Smooth fields on a grid of 1 mm: cubic B-splines over coarse control points, and noise made from them."""

import math
from functools import cache

import numpy as np
from scipy import sparse

# Standard deviation of a cubic B-spline over independent unit-variance control points, averaged over positions.
_SPLINE_STD = 0.33


def coarse_shape(shape: tuple[int, ...], step_mm: float) -> tuple[int, ...]:
    """Number of control points along each axis to cover a grid of `shape` voxels (1 mm), one for each `step_mm`."""
    return tuple(math.ceil((size - 1) / step_mm) + 1 for size in shape)


def upsample(control: np.ndarray, step_mm: float, shape: tuple[int, int, int]) -> np.ndarray:
    """Cubic B-spline field (float32, `shape`, 1 mm) of control points (float, `coarse_shape(shape, step_mm)`).

    Weights are normalized at the border, so a constant stays a constant. Raises ValueError if the shapes do not fit.
    """
    if control.shape != coarse_shape(shape, step_mm):
        raise ValueError(f"control points: expected {coarse_shape(shape, step_mm)} for {shape}, found {control.shape}")
    field = control.astype(np.float32, copy=False)
    for axis in (2, 1, 0):
        # With the upsampled axis first, each of its voxels is a sum of four long rows, which is fast.
        rows = np.moveaxis(field, axis, 0)
        wide = _spline_matrix(shape[axis], len(rows), step_mm) @ rows.reshape(len(rows), -1)
        field = np.moveaxis(wide.reshape(-1, *rows.shape[1:]), 0, axis)
    return field


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int, int], step_mm: float) -> np.ndarray:
    """Gaussian noise (float32, `shape`, mean 0, standard deviation about 1) that varies over `step_mm`."""
    control = rng.standard_normal(coarse_shape(shape, step_mm), dtype=np.float32) / np.float32(_SPLINE_STD)
    return upsample(control, step_mm, shape)


@cache
def _spline_matrix(size: int, points: int, step_mm: float) -> sparse.csr_array:
    """Weights (float32, `size` x `points`) of the control points for each voxel; four of each row are not 0.

    The matrix is sparse also because the last bits of a dense product depend on the number of threads.
    """
    places = np.arange(size)[:, None] / step_mm
    nearest = np.floor(places).astype(int) + np.arange(-1, 3)
    distance = np.abs(places - nearest)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = (2 - np.minimum(distance, 2)) ** 3 / 6
    weights = np.where(distance < 1, near, far) * ((nearest >= 0) & (nearest < points))
    weights /= weights.sum(axis=1, keepdims=True)
    columns, ends = np.clip(nearest, 0, points - 1), np.arange(0, 4 * size + 1, 4)
    return sparse.csr_array((weights.astype(np.float32).ravel(), columns.ravel(), ends), shape=(size, points))
