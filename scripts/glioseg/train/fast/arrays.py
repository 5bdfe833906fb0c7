"""Arrays that TensorFlow uses without a copy."""

import math

import numpy as np


def aligned(shape: tuple[int, ...], dtype) -> np.ndarray:
    """Return an uninitialized array at an address divisible by 64; TensorFlow copies arrays at other addresses."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.empty(size + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    return buffer[start : start + size].view(dtype).reshape(shape)
