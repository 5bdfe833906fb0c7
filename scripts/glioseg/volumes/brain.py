"""What is background in a skull-stripped volume, and what is brain."""

import numpy as np


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


def _ends(axis: int) -> list[tuple]:
    return [(slice(None),) * axis + (end,) for end in (0, -1)]
