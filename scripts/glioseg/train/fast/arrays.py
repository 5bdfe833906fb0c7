"""Arrays that TensorFlow takes without a copy."""

import math

import numpy as np


def aligned(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An array, not filled, that begins at a multiple of 64 bytes: TensorFlow takes it as it lies; others it copies."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)
