"""Distances between the surfaces of two regions, and the areas of surfaces."""

from functools import cache
from itertools import permutations, product

import numpy as np
from scipy.spatial import cKDTree

from glioseg.volumes.boxes import bounding_box, slices

# The surface inside of a cube of 2 x 2 x 2 voxels, as DeepMind's surface-distance 0.1 takes it from marching cubes
# (Nikolov et al. 2021, doi:10.2196/26151). Key: which of the voxels are inside, the first one in the highest bit.
# Value: eight times the area of each of its triangles, projected along each axis. All other patterns are rotations,
# reflections or complements of these.
SURFACES = {
    0b00000000: (),
    0b00000001: ((1, 1, 1),),
    0b00000011: ((2, 2, 0),) * 2,
    0b00000110: ((1, 1, 1),) * 2,
    0b00000111: ((1, 1, 1), (2, 2, 2), (4, 0, 0)),
    0b00001111: ((4, 0, 0),) * 2,
    0b00010110: ((1, 1, 1),) * 3,
    0b00010111: ((1, 1, 1), (1, 1, 1), (2, 2, 2), (2, 2, 2)),
    0b00011000: ((1, 1, 1),) * 2,
    0b00011001: ((0, 2, 2), (0, 2, 2), (1, 1, 1)),
    0b00011011: ((0, 2, 2), (1, 1, 1), (2, 0, 2), (3, 3, 3)),
    0b00011110: ((1, 1, 1), (1, 1, 1), (2, 2, 2), (4, 0, 0)),
    0b00111100: ((2, 2, 0),) * 4,
    0b01101001: ((1, 1, 1),) * 4,
}
CORNERS = tuple(product((0, 1), repeat=3))


def surface_distances(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance (mm) of each surface voxel to the nearest one of the other region: truth's, prediction's.

    The surface of a region is its voxels that share a face with a voxel outside or with the edge of the array.
    Distances are between voxel centers. truth, prediction: boolean arrays of one shape, neither of them empty;
    spacing_mm: size of a voxel along each axis.
    """
    box = slices(bounding_box(truth | prediction))
    surfaces = _surface(truth[box]), _surface(prediction[box])
    # A tree of the surface points is several times faster than distance maps of the voxels around them.
    points = [np.argwhere(surface) * np.asarray(spacing_mm) for surface in surfaces]
    trees = [cKDTree(of_surface, balanced_tree=False, compact_nodes=False) for of_surface in points]
    return trees[1].query(points[0])[0], trees[0].query(points[1])[0]


def surface_areas(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance (mm) of each surface element to the other surface, and its area (mm²): truth's, prediction's.

    A surface element is the surface between eight voxels that share a corner; distances are between these corners. The
    arguments are those of `surface_distances`.
    """
    box = slices(bounding_box(truth | prediction))
    elements = [_elements(mask[box], spacing_mm) for mask in (truth, prediction)]
    trees = [cKDTree(points, balanced_tree=False, compact_nodes=False) for points, _ in elements]
    distances = trees[1].query(elements[0][0])[0], trees[0].query(elements[1][0])[0]
    return np.concatenate(distances), np.concatenate([areas for _, areas in elements])


def _elements(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners (n, 3) in mm between the voxels of a 3-D mask that its surface passes, and areas (n,)."""
    padded = np.pad(mask, 1).view(np.uint8)
    shape = [side - 1 for side in padded.shape]
    codes = np.zeros(shape, np.uint8)
    for bit, corner in enumerate(CORNERS):
        codes |= padded[tuple(slice(at, at + side) for at, side in zip(corner, shape, strict=True))] << (7 - bit)
    passed = (codes != 0) & (codes != 255)
    return np.argwhere(passed) * np.asarray(spacing_mm), _area_table(tuple(spacing_mm))[codes[passed]]


@cache
def _area_table(spacing_mm: tuple[float, ...]) -> np.ndarray:
    """Return the area (mm²) of the surface inside of each of the 256 cubes, by the code of its voxels."""
    faces = np.prod(spacing_mm) / np.asarray(spacing_mm)
    areas = np.zeros(256)
    for pattern, triangles in SURFACES.items():
        cube = np.unpackbits(np.uint8(pattern)).reshape(2, 2, 2)
        projected = np.asarray(triangles).reshape(-1, 3) / 8
        for order, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
            turned = cube.transpose(order)[tuple(slice(None, None, step) for step in flips)]
            code = np.packbits(turned.ravel())[0]
            areas[[code, 255 - code]] = np.linalg.norm(projected[:, order] * faces, axis=1).sum()
    return areas


def _surface(mask: np.ndarray) -> np.ndarray:
    """Return the surface voxels of a mask. Shifts take a tenth of the time of a binary erosion."""
    inside = mask.copy()
    for axis in range(mask.ndim):
        along, out = np.moveaxis(mask, axis, 0), np.moveaxis(inside, axis, 0)
        out[1:] &= along[:-1]
        out[:-1] &= along[1:]
        out[[0, -1]] = False
    return mask & ~inside
