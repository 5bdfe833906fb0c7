"""The background and the brain of a skull-stripped volume."""

import numpy as np


def background_value(volume: np.ndarray) -> float | None:
    """The background: the value of more than half of the voxels on the six outer faces; None if there is none."""
    faces = np.concatenate([volume[index].ravel() for axis in range(3) for index in _ends(axis)])
    # A value that more than half of the voxels have is also their median.
    middle = np.partition(faces, faces.size // 2)[faces.size // 2]
    return float(middle) if 2 * np.count_nonzero(faces == middle) > faces.size else None


def brain_mask(volume: np.ndarray, background: float | None) -> np.ndarray:
    """Boolean mask (same shape) of the voxels that differ from the background; all voxels if it is None."""
    if background is None:
        return np.ones(volume.shape, bool)
    # Comparing in the volume's own type avoids converting integers to floating point.
    return volume != volume.dtype.type(background)


def _ends(axis: int) -> list[tuple]:
    return [(slice(None),) * axis + (end,) for end in (0, -1)]
