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


def largest_part(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask (bool, any number of axes) without its holes; an empty mask stays empty."""
    # Imported here, since SciPy takes long to load and most users of this module do without it.
    from scipy import ndimage

    numbers, count = ndimage.label(mask)
    if not count:
        return mask
    return ndimage.binary_fill_holes(numbers == 1 + np.argmax(np.bincount(numbers.ravel())[1:]))


def _ends(axis: int) -> list[tuple]:
    return [(slice(None),) * axis + (end,) for end in (0, -1)]
