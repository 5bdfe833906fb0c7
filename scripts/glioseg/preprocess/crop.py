"""Where a scan's content lies, and which part of it becomes an array of what size."""

from typing import NamedTuple

import numpy as np

from glioseg.preprocess.read import Volumes
from glioseg.volumes.boxes import Box, bounding_box, grow, hull, lengths
from glioseg.volumes.brain import background_value, brain_mask
from glioseg.volumes.orientation import spacing_mm
from glioseg.volumes.resample import resampled_shape

# Some 500 voxels along each side: with four modalities a gigabyte on disk.
MOST_VOXELS = 2**27


class Grid(NamedTuple):
    """Boxes in voxels, spacings in mm; brain: what differs from the background in any image (bool, on the whole grid).

    boxes: around each image's brain; crop: what becomes an array, of this size; work: the crop and all that normalizing
    looks at.
    """

    backgrounds: dict[str, float | None]
    brain: np.ndarray
    boxes: dict[str, Box]
    crop: Box
    work: Box
    spacing: tuple[float, float, float]
    target: tuple[float, float, float]
    size: tuple[int, int, int]


def lay_out(found: Volumes, settings: dict) -> Grid:
    """The grid of volumes that were read. settings: crop ("brain" or three voxel ranges), spacing_mm."""
    shape = next(iter(found.images.values())).shape
    backgrounds = {name: background_value(volume) for name, volume in found.images.items()}
    brain, boxes = np.zeros_like(next(iter(found.images.values())), bool), {}
    for name, volume in found.images.items():
        own = brain_mask(volume, backgrounds[name])
        boxes[name] = bounding_box(own)
        brain |= own
    # A tumor mask may reach past the brain by a voxel; a crop to the brain must not cut it.
    content = hull([*boxes.values(), *([found.labelled] if found.labelled else [])])
    crop = content
    if settings["crop"] != "brain":
        ranges = zip(settings["crop"], shape, strict=True)
        crop = tuple((min(max(low, 0), length), min(high, length)) for (low, high), length in ranges)
    # All else is background. A margin of it is kept, since the minimum of a volume or of a slice may be the background.
    work = grow(hull([content, crop]), shape)
    spacing, target = spacing_mm(found.affine), (settings["spacing_mm"],) * 3
    size = resampled_shape(lengths(crop), spacing, target)
    return Grid(backgrounds, brain, boxes, crop, work, spacing, target, size)


def unfit(grid: Grid) -> str | None:
    """A sentence where the crop lies outside of the scan, or holds more voxels than any head has."""
    if min(lengths(grid.crop)) <= 0:
        shape = "x".join(map(str, grid.brain.shape))
        return (
            f"its {shape} voxels do not reach into the configured crop; export it on the grid that the crop is made for"
        )
    if np.prod(grid.size, dtype=float) > MOST_VOXELS:
        sizes, found = ("x".join(f"{number:g}" for number in of) for of in (grid.spacing, grid.size))
        return (
            f"its voxels of {sizes} mm become {found} voxels of {grid.target[0]:g} mm; check the spacing in its header"
        )
    return None
