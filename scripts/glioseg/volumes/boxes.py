"""Volumes on disk and in memory: NIfTI with its geometry, the crop box, the target spacing, and the way back.

Inside this library all arrays are in LPS order: their axes run to the patient's left, back and top, as in BraTS.
"""

from collections.abc import Iterable, Sequence

import numpy as np

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def bounding_box(mask: np.ndarray) -> Box:
    """Smallest half-open box around the True voxels of a 3-D mask; the whole array where there are none."""
    # Of a file's order, the last axis is the cheapest to sum up.
    seen = mask.any(axis=2)
    box = []
    for line in (seen.any(axis=1), seen.any(axis=0), mask.any(axis=(0, 1))):
        hits = np.flatnonzero(line)
        box.append((int(hits[0]), int(hits[-1]) + 1) if hits.size else (0, line.size))
    return tuple(box)


def hull(boxes: Iterable[Box]) -> Box:
    """Smallest box around one or more boxes."""
    return tuple((min(low for low, _ in edges), max(high for _, high in edges)) for edges in zip(*boxes, strict=True))


def grow(box: Box, shape: Sequence[int], margin: int = 1) -> Box:
    """A box with a margin of so many voxels on each side, as far as the array of this shape goes."""
    return tuple(
        (max(low - margin, 0), min(high + margin, length)) for (low, high), length in zip(box, shape, strict=True)
    )


def relative(box: Box, outer: Box) -> Box:
    """A box in the voxels of an outer box that holds it."""
    return tuple((low - start, high - start) for (low, high), (start, _) in zip(box, outer, strict=True))


def within(outer: Box, box: Box) -> Box:
    """The way back of `relative`: a box that is given in the voxels of an outer one."""
    return tuple((start + low, start + high) for (low, high), (start, _) in zip(box, outer, strict=True))


def overlap(one: Box, other: Box) -> Box:
    """The box that two boxes share; of no length along an axis where they don't meet."""
    edges = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other, strict=True)]
    return tuple((low, max(low, high)) for low, high in edges)


def lengths(box: Box) -> tuple[int, int, int]:
    """Voxels along each axis of a box."""
    return tuple(high - low for low, high in box)


def cut(volume: np.ndarray, box: Box) -> np.ndarray:
    """The part of a volume (3-D or 4-D) inside a half-open box of its first three axes."""
    return volume[slices(box)]


def slices(box: Box) -> tuple[slice, ...]:
    """A box as an index into an array."""
    return tuple(slice(*edge) for edge in box)
