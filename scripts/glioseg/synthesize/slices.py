"""What the slices of a scan do to an image: they blur it, are thick, and may end before the brain does."""

import numpy as np
from scipy import ndimage


def leave_ends(volume: np.ndarray, planes: np.ndarray, ends: np.ndarray) -> None:
    """Leave the lowest and the highest of the brain's planes (number of each: ends) without signal, in place.

    volume: (X, Y, Z); planes: those along Z that show brain, in order. An end that lies beyond the volume is left as it
    is.
    """
    below, above = ends.astype(int)
    if planes.size and below and planes[0] > 0:
        volume[:, :, : planes[0] + below] = 0
    if planes.size and above and planes[-1] < volume.shape[2] - 1:
        volume[:, :, planes[-1] + 1 - above :] = 0


def soften(volume: np.ndarray, blur: float, thick: float, axis: int) -> np.ndarray:
    """Blur a volume (float32), and replace it by thick slices that are interpolated linearly.

    blur: standard deviation in voxels; thick: thickness of a slice in voxels, along an axis.
    """
    widths = np.full(3, blur)
    # The Gaussian of the same variance as a slice of this thickness.
    widths[axis] = max(widths[axis], thick / 3.46) if thick > 1 else widths[axis]
    volume = ndimage.gaussian_filter(volume, widths, truncate=2.5)
    length = volume.shape[axis]
    slices = max(round(length / thick), 2)
    if slices >= length:
        return volume
    seen = volume.take(np.linspace(0, length - 1, slices).round().astype(int), axis)
    place = np.linspace(0, slices - 1, length)
    low = np.minimum(place.astype(int), slices - 2)
    weight = (place - low).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(3)])
    return seen.take(low, axis) * (1 - weight) + seen.take(low + 1, axis) * weight
