"""Linear interpolation in a volume of voxels laid out one after another."""

import numpy as np


def between(voxels: np.ndarray, index: np.ndarray, steps: list[tuple[int, np.ndarray]]) -> np.ndarray:
    """Values a fraction of each step (a stride, a fraction of it) on from the voxels at `index`.

    voxels (N,) or, of several channels, (N, C), float32; fractions float32, that broadcast to the values.
    """
    if not steps:
        return voxels.take(index, 0)
    (stride, fraction), *others = steps
    near, far = between(voxels, index, others), between(voxels, index + stride, others)
    far -= near
    far *= fraction
    far += near
    return far
