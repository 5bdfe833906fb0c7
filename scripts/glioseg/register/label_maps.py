"""Label maps on another grid, from the share of each label in each voxel."""

from itertools import product

import numpy as np

from glioseg.register.grids import Grid, itk_image, moved_by, resampled, shifted
from glioseg.volumes.boxes import Box, bounding_box, cut, grow, lengths, slices
from glioseg.volumes.orientation import spacing_mm

# Along an axis, a voxel is seen at most at this many places.
MOST_PLACES = 8
# An image with more values than this is no label map; its values are copied from the nearest voxel.
MOST_LABELS = 32


def label_map_on(labels: np.ndarray, affine: np.ndarray, grid: Grid, to_labels: np.ndarray) -> np.ndarray:
    """A label map (3-D, whole numbers, 0 is background) on another grid, in its own dtype.

    affine: of the label map; to_labels: matrix (4x4, mm) from the world of the grid to that of the label map. A voxel
    is foreground if at least half of it is, and then has the label with the largest share of it. The shares are means
    over places not farther apart than the voxels of the label map, with linear interpolation. An image that is no
    label map, since it has too many values or fractions, gets the value of the nearest voxel, for a check to find it.
    """
    found = np.zeros(grid.shape, labels.dtype)
    foreground = labels != 0
    if not foreground.any():
        return found
    inside = grow(bounding_box(foreground), labels.shape)
    part, placed = cut(labels, inside), moved_by(affine, inside)
    box = _reached(Grid(part.shape, placed), grid, np.linalg.inv(to_labels))
    if not all(lengths(box)):
        return found
    target = Grid(lengths(box), moved_by(grid.affine, box))
    names = np.unique(part[part != 0])
    if len(names) > MOST_LABELS or not np.array_equal(names, np.rint(names)):
        found[slices(box)] = _nearest(part, placed, target, to_labels)
        return found
    places = _places(spacing_mm(affine), spacing_mm(grid.affine))
    total, best, chosen = np.zeros(target.shape, np.float32), np.zeros(target.shape, np.float32), found[slices(box)]
    for name in names:
        image = itk_image((part == name).astype(np.float32), placed)
        share = np.zeros(target.shape, np.float32)
        for place in places:
            share += resampled(image, Grid(target.shape, shifted(target.affine, place)), to_labels)
        share /= len(places)
        total += share
        chosen[share > best] = name
        best = np.maximum(best, share)
    chosen[total < 0.5] = 0
    return found


def _places(own: tuple, target: tuple) -> list[tuple[float, ...]]:
    """Places in a voxel of the target, in voxels from its center, not farther apart than own voxels (mm)."""
    counts = [min(max(1, round(size / min(own))), MOST_PLACES) for size in target]
    return list(product(*((np.arange(count) + 0.5) / count - 0.5 for count in counts)))


def _reached(source: Grid, grid: Grid, to_grid: np.ndarray) -> Box:
    """The box of a grid in which a volume on another grid can be seen, with a margin."""
    corners = np.array([(*corner, 1) for corner in product(*((-1, length) for length in source.shape))], float)
    voxels = (np.linalg.inv(grid.affine) @ to_grid @ source.affine @ corners.T)[:3]
    low = np.floor(voxels.min(1)).astype(int) - 1
    high = np.ceil(voxels.max(1)).astype(int) + 2
    return tuple(
        (min(max(int(a), 0), length), max(min(int(b), length), 0))
        for a, b, length in zip(low, high, grid.shape, strict=True)
    )


def _nearest(values: np.ndarray, affine: np.ndarray, grid: Grid, to_values: np.ndarray) -> np.ndarray:
    """The values of the nearest voxels; 0 outside of the volume."""
    voxels = np.indices(grid.shape).reshape(3, -1)
    matrix = np.linalg.inv(affine) @ to_values @ grid.affine
    at = np.rint(matrix[:3, :3] @ voxels + matrix[:3, 3:]).astype(int)
    inside = ((at >= 0) & (at < np.array(values.shape)[:, None])).all(0)
    found = np.zeros(voxels.shape[1], values.dtype)
    found[inside] = values[tuple(at[:, inside])]
    return found.reshape(grid.shape)
