"""Boxes of voxels: half-open ranges along the three axes of an array."""

from collections.abc import Iterable, Sequence

import numpy as np

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


def bounding_box(mask: np.ndarray) -> Box:
    """Smallest half-open box around the True voxels of a 3-D mask; the whole array if there are none."""
    # In a file's memory order, the last axis is the cheapest to reduce.
    seen = mask.any(axis=2)
    box = []
    for line in (seen.any(axis=1), seen.any(axis=0), mask.any(axis=(0, 1))):
        hits = np.flatnonzero(line)
        box.append((int(hits[0]), int(hits[-1]) + 1) if hits.size else (0, line.size))
    return tuple(box)


def hull(boxes: Iterable[Box]) -> Box:
    """Smallest box that contains one or more boxes."""
    return tuple((min(low for low, _ in edges), max(high for _, high in edges)) for edges in zip(*boxes, strict=True))


def grow(box: Box, shape: Sequence[int], margin: int = 1) -> Box:
    """A box with a margin (voxels) added on each side, limited to an array of this shape."""
    return tuple(
        (max(low - margin, 0), min(high + margin, length)) for (low, high), length in zip(box, shape, strict=True)
    )


def relative(box: Box, outer: Box) -> Box:
    """A box in the coordinates of an outer box that contains it."""
    return tuple((low - start, high - start) for (low, high), (start, _) in zip(box, outer, strict=True))


def within(outer: Box, box: Box) -> Box:
    """A box in the coordinates of the array, from those of an outer box; the inverse of `relative`."""
    return tuple((start + low, start + high) for (low, high), (start, _) in zip(box, outer, strict=True))


def overlap(one: Box, other: Box) -> Box:
    """The intersection of two boxes; its length is 0 along each axis on which they do not overlap."""
    edges = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other, strict=True)]
    return tuple((low, max(low, high)) for low, high in edges)


def lengths(box: Box) -> tuple[int, int, int]:
    """Number of voxels along each axis of a box."""
    return tuple(high - low for low, high in box)


def cut(volume: np.ndarray, box: Box) -> np.ndarray:
    """The part of a volume (3-D or 4-D) inside a box of its first three axes, as a view."""
    return volume[slices(box)]


def slices(box: Box) -> tuple[slice, ...]:
    """A box as an index into an array."""
    return tuple(slice(*edge) for edge in box)
