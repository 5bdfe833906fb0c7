"""The brain in a scan, the crop around it, and the size of the array that the crop becomes."""

from typing import NamedTuple

import numpy as np

from glioseg.preprocess.read import Volumes
from glioseg.volumes.boxes import Box, bounding_box, grow, hull, lengths
from glioseg.volumes.brain import background_value, brain_mask
from glioseg.volumes.orientation import spacing_mm
from glioseg.volumes.resample import resampled_shape

# About 500 voxels along each side, which take one gigabyte on disk with four modalities.
MOST_VOXELS = 2**27


class Grid(NamedTuple):
    """The geometry of a scan and of its array; boxes in voxels, spacings in mm.

    backgrounds: background value of each image, None if it has none; brain: voxels that differ from the background in
    any image (bool, on the whole grid); boxes: around the brain in each image; crop: what becomes the array; work: the
    crop and everything that normalization reads; spacing: of the scan; target, size: spacing and shape of the array.
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
    """Compute the grid of a scan's volumes. settings: crop ("brain" or three voxel ranges), spacing_mm."""
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
    # All other voxels are background. Keep a margin of them, since the minimum of a volume or of a slice may be there.
    work = grow(hull([content, crop]), shape)
    spacing, target = spacing_mm(found.affine), (settings["spacing_mm"],) * 3
    size = resampled_shape(lengths(crop), spacing, target)
    return Grid(backgrounds, brain, boxes, crop, work, spacing, target, size)


def unfit(grid: Grid) -> str | None:
    """Report a crop that lies outside the scan or has more voxels than any head."""
    if min(lengths(grid.crop)) <= 0:
        shape = "x".join(map(str, grid.brain.shape))
        return (
            f"the scan has {shape} voxels, and the configured crop lies outside of them; "
            "change preprocess: crop, or export the scan on the grid for which the crop was chosen"
        )
    if np.prod(grid.size, dtype=float) > MOST_VOXELS:
        sizes, found = ("x".join(f"{number:g}" for number in of) for of in (grid.spacing, grid.size))
        return (
            f"the crop's voxels of {sizes} mm would become {found} voxels of {grid.target[0]:g} mm, which are too "
            "many; check the spacing in the header, and preprocess: spacing_mm"
        )
    return None
