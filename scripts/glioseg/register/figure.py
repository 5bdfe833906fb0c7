"""A figure of a registration: each series on the reference, as its header places it and as it was moved."""

import numpy as np
from matplotlib.figure import Figure

from glioseg.colors import BRAIN_OUTLINE
from glioseg.labels import MASK
from glioseg.register.grids import Grid
from glioseg.register.intensities import image_on
from glioseg.register.subject import Registered
from glioseg.volumes.boxes import bounding_box, cut, grow
from glioseg.volumes.brain import largest_part

# Fields of the checkerboard along each axis.
FIELDS = 8
# The axes across the planes that are shown: axial and sagittal.
ACROSS = (2, 0)
MARGIN = 12


def draw(found: Registered) -> Figure:
    """Rows are the registered series; columns are two planes, each before and after.

    The line is the outline of the brain that was cut out, or else of what the reference shows. The fields of a
    checkerboard are the reference and the series in turn. The skull is shown, also if it was cut off.
    """
    facts = found.facts
    reference = facts["reference"]
    grid = Grid(tuple(facts["grid"]["shape"]), np.array(facts["grid"]["affine"]))
    brain = _inside(found.heads[reference]) if found.brain is None else found.brain
    box = grow(bounding_box(brain), grid.shape, MARGIN)
    still, brain = cut(found.heads[reference], box), cut(brain, box)
    places = np.argwhere(brain).mean(0).round().astype(int) if brain.any() else np.array(still.shape) // 2
    names = [name for name in found.volumes if name not in (reference, MASK)]
    rows = max(len(names), 1)
    figure = Figure(figsize=(10, 2.7 * rows + 0.4), layout="constrained", facecolor="white")
    axes = figure.subplots(rows, 4, squeeze=False)
    for row, name in zip(axes, names or [reference], strict=True):
        one = found.series[name]
        before = image_on(one.voxels, one.affine, grid, np.eye(4))
        shown = {"before": cut(before, box), "after": cut(found.heads[name], box)}
        for number, axis in enumerate(ACROSS):
            for column, (when, volume) in zip(row[2 * number :], shown.items(), strict=False):
                parts = [_plane(each, axis, places[axis]) for each in (_gray(still), _gray(volume))]
                column.imshow(np.where(_checkers(parts[0].shape), *parts), cmap="gray", vmin=0, vmax=1)
                outline = largest_part(_plane(brain, axis, places[axis]))
                column.contour(outline, [0.5], colors=[BRAIN_OUTLINE], linewidths=0.7)
                column.set_title(f"{name} on {reference}, {when}", fontsize=9, loc="left")
                column.set_axis_off()
    return figure


def _gray(volume: np.ndarray) -> np.ndarray:
    """A volume from 0 to 1, between its 1st and its 98th percentile: fat under the skin would outshine the brain."""
    low, high = np.percentile(volume[::3, ::3, ::3], (1, 98))
    return np.clip((volume.astype(np.float32) - low) / max(float(high - low), 1e-6), 0, 1)


def _inside(volume: np.ndarray) -> np.ndarray:
    """The voxels of a head or brain (bool)."""
    return _gray(volume) > 0.05


def _plane(volume: np.ndarray, axis: int, place: int) -> np.ndarray:
    """A plane of a volume in LPS order, as it is looked at: the front, or the top, is up."""
    part = volume.take(place, axis).T
    return part if axis == 2 else part[::-1]


def _checkers(shape: tuple[int, int]) -> np.ndarray:
    """A checkerboard (bool)."""
    rows, columns = (np.arange(length) * FIELDS // length for length in shape)
    return (rows[:, None] + columns) % 2 == 0
