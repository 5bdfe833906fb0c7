"""What makes a scan unusable, each in a sentence. A check returns the sentence, or None where nothing is wrong."""

import numpy as np

# A rounded header differs from its neighbor by far less than this; a shifted or flipped one by far more.
AFFINE_TOLERANCE = 1e-2


def missing(expected: list[str], found: list[str]) -> str | None:
    """A modality of the configured ones that has no file."""
    absent = [name for name in expected if name not in found]
    if not absent:
        return None
    return f"no file for {', '.join(absent)}; expected {', '.join(expected)}, found {', '.join(found) or 'none'}"


def shapes(volumes: dict[str, tuple[int, ...]]) -> str | None:
    """Volumes of one subject that differ in shape; by name, first one taken as the reference."""
    (reference, shape), *others = volumes.items()
    for name, other in others:
        if other != shape:
            return f"{name} has shape {_x(other)} but {reference} has {_x(shape)}; export all on one grid"
    return None


def affines(volumes: dict[str, np.ndarray]) -> str | None:
    """Volumes of one subject whose affines (4x4, mm) differ by more than `AFFINE_TOLERANCE` in any element."""
    (reference, affine), *others = volumes.items()
    for name, other in others:
        difference = np.abs(other - affine).max()
        if not difference <= AFFINE_TOLERANCE:
            return (
                f"the affine of {name} differs from that of {reference} by up to {difference:.3g}; register them first"
            )
    return None


def geometry(name: str, affine: np.ndarray) -> str | None:
    """An affine (4x4) that is not finite or cannot be inverted."""
    if np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 1e-9:
        return None
    return f"the affine of {name} is not finite or not invertible; rewrite its header from the original DICOM"


def finite(name: str, volume: np.ndarray) -> str | None:
    """Voxels that are NaN or infinite."""
    bad = volume.size - int(np.isfinite(volume).sum())
    return f"{name} has {bad} voxels that are NaN or infinite; export it anew" if bad else None


def constant(name: str, volume: np.ndarray) -> str | None:
    """A volume whose voxels are all the same."""
    low = volume.min()
    return f"{name} is empty: every voxel is {low:g}" if low == volume.max() else None


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
