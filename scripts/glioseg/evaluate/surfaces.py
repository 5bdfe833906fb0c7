"""Distances between the surfaces of two regions."""

import numpy as np
from scipy.spatial import cKDTree

from glioseg.volumes.boxes import bounding_box, slices


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


def _surface(mask: np.ndarray) -> np.ndarray:
    """Return the surface voxels of a mask. Shifts take a tenth of the time of a binary erosion."""
    inside = mask.copy()
    for axis in range(mask.ndim):
        along, out = np.moveaxis(mask, axis, 0), np.moveaxis(inside, axis, 0)
        out[1:] &= along[:-1]
        out[:-1] &= along[1:]
        out[[0, -1]] = False
    return mask & ~inside
