"""The arrays that preprocess leaves, from disk, and such as TensorFlow takes without a copy."""

import errno
import math
import resource
from contextlib import suppress
from pathlib import Path

import numpy as np


def read_array(path: Path, dimensions: int, mapped: bool = False) -> np.ndarray:
    """An array of a .npy file, by memory map where so asked; never a pickle, which would run what stands in it.

    Raises ValueError with a sentence that names the file where it is damaged, or has other dimensions.
    """
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        found = f"{array.ndim} dimensions"
    except Exception as error:  # a damaged header ends in a dozen kinds, syntax errors among them
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
            raise  # nothing is wrong with the file
        array, found = None, error
    if array is None or array.ndim != dimensions:
        raise ValueError(
            f"{path} cannot be read as an array of {dimensions} dimensions ({found}); delete {path.parent} and run "
            "again to remake it"
        )
    return array


def aligned(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An array, not filled, that begins at a multiple of 64 bytes: TensorFlow takes it as it lies; others it copies."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.empty(size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)


def allow_open_files() -> None:
    """Let this process open as many files as it ever may: each array that is read by memory map keeps one open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # a limit that can't be set is left
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def read_sample(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Image (X, Y, Z, C) and mask (X, Y, Z) of a folder of `preprocess`, by memory map.

    Raises ValueError naming the file that can't be read, or the folder whose two are not of one scan.
    """
    image, mask = read_array(folder / "image.npy", 4, mapped=True), read_array(folder / "mask.npy", 3, mapped=True)
    if image.shape[:-1] != mask.shape:
        raise ValueError(
            f"{folder}: image.npy has the shape {image.shape}, mask.npy {mask.shape}; expected that of one scan; "
            "delete the folder and run again to remake it"
        )
    return image, mask
