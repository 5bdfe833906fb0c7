"""How a volume is looked at: turned upright, cut into slices, drawn with its tissue, contours, sides and scale.

An upright volume runs along its three axes to the patient's right, front and top. Pictures follow the radiologist's
convention: the patient's right is on the viewer's left.
"""

import math
from collections.abc import Iterable, Sequence

import nibabel as nib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from glioseg.labels import CLASSES, region
from glioseg.plot.style import REGION_COLORS, TISSUES
from glioseg.volumes.boxes import bounding_box
from glioseg.volumes.orientation import spacing_mm

# The axis of an upright volume that a plane cuts, and the patient's sides at the left and right edge of its picture.
PLANES = {"axial": (2, "RL"), "coronal": (1, "RL"), "sagittal": (0, "AP")}
MARGIN_MM, SCALE_BAR_MM = 6, 20
# The truth is a broad dim line under a fine bright one, the prediction: where they agree, the fine one runs inside.
# Opaque, since two translucent colors on one another would make a third; the core is broader than the enhancing tumor,
# whose outer rim it shares.
WIDTHS = {"truth": 2.0, "prediction": 0.8}
BRIGHTNESS = {"truth": 0.62, "prediction": 1.0}


def turn(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The upright volume: axes (of a volume X, Y, Z) swapped and flipped as the 4x4 affine says, never resampled."""
    return nib.apply_orientation(volume, nib.io_orientation(affine))


def spacing(affine: np.ndarray) -> np.ndarray:
    """Voxel size (3,) in mm along the axes of the upright volume."""
    return turn_sizes(spacing_mm(affine), affine)


def turn_sizes(sizes_mm: Sequence[float], affine: np.ndarray) -> np.ndarray:
    """Voxel sizes (3,) in mm along the axes of the upright volume, from those along the axes that the affine turns."""
    upright = np.empty(3)
    upright[nib.io_orientation(affine)[:, 0].astype(int)] = sizes_mm
    return upright


def box(brain: np.ndarray, sizes_mm: np.ndarray) -> tuple[slice, slice, slice]:
    """The part of an upright volume that holds the brain, with a margin; all of it where the mask is empty."""
    margins = [math.ceil(MARGIN_MM / size) for size in sizes_mm]
    return tuple(
        slice(max(0, low - margin), high + margin)
        for (low, high), margin in zip(bounding_box(brain), margins, strict=True)
    )


def cut(volume: np.ndarray, plane: str, index: int) -> np.ndarray:
    """One slice (rows, columns) of an upright volume as it is looked at: the top row first, the left column first."""
    return np.take(volume, index, axis=PLANES[plane][0])[::-1, ::-1].T


def fullest(mask: np.ndarray, plane: str) -> int:
    """Index of the slice of an upright mask with the most voxels set, of several the middle one, as if none is set."""
    areas = mask.sum(axis=tuple({0, 1, 2} - {PLANES[plane][0]}))
    best = np.flatnonzero(areas == areas.max())
    return int(best[len(best) // 2])


def extent_mm(plane: str, shape: Iterable[int], sizes_mm: np.ndarray) -> tuple[float, float]:
    """Width and height in mm of a plane's slices."""
    return tuple(np.delete(np.multiply(shape, sizes_mm), PLANES[plane][0]).tolist())


def window(volume: np.ndarray, brain: np.ndarray) -> tuple[float, float]:
    """Values drawn black and white: the 1st and 99.7th percentile in the brain (of all voxels where it is empty)."""
    low, high = np.percentile(volume[brain] if brain.any() else volume, (1, 99.7))
    return float(low), float(max(high, low + 1e-6))


def panel(figure: Figure, place_in: tuple[float, float, float, float]) -> Axes:
    """Axes without ticks at (left, bottom, width, height) in inches from the figure's lower left corner."""
    wide, high = figure.get_size_inches()
    left, bottom, width, height = place_in
    axis = figure.add_axes((left / wide, bottom / high, width / wide, height / high), facecolor="black")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    return axis


def grey(axis: Axes, volume: np.ndarray, brain: np.ndarray, plane: str, index: int, sizes_mm: np.ndarray) -> None:
    """Draw a slice of an upright volume in greys, black outside the brain, its axes in mm."""
    low, high = window(volume, brain)
    scaled = np.clip((cut(volume, plane, index).astype(np.float32) - low) / (high - low), 0, 1)
    width, height = extent_mm(plane, volume.shape, sizes_mm)
    axis.imshow(
        np.where(cut(brain, plane, index), scaled, 0),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(0, width, height, 0),
        interpolation="bilinear",
    )


def paint(axis: Axes, classes: np.ndarray, plane: str, index: int, sizes_mm: np.ndarray) -> None:
    """Fill the tissue classes of a slice with their colors; the background stays as it is."""
    width, height = extent_mm(plane, classes.shape, sizes_mm)
    shown = np.ma.masked_equal(cut(classes, plane, index), 0)
    colors = ListedColormap([TISSUES[name] for name in CLASSES[1:]])
    axis.imshow(
        shown, cmap=colors, vmin=1, vmax=len(CLASSES) - 1, extent=(0, width, height, 0), interpolation="nearest"
    )


def outline(
    axis: Axes, classes: np.ndarray, plane: str, index: int, sizes_mm: np.ndarray, regions: Iterable[str], kind: str
) -> None:
    """Draw the contours of the regions that a slice has, as those of the "truth" or the "prediction" (`kind`)."""
    slice_ = cut(classes, plane, index)
    width, height = extent_mm(plane, classes.shape, sizes_mm)
    columns = (np.arange(slice_.shape[1]) + 0.5) * width / slice_.shape[1]
    rows = (np.arange(slice_.shape[0]) + 0.5) * height / slice_.shape[0]
    for name in regions:
        inside = region(slice_, name)
        if inside.any():
            axis.contour(
                columns,
                rows,
                inside.astype(float),
                [0.5],
                colors=[line_color(REGION_COLORS[name], kind)],
                linewidths=WIDTHS[kind],
            )


def line_color(color: str, kind: str) -> tuple[float, float, float]:
    """The color of the truth's or the prediction's contour of a region (or of its legend, from white)."""
    return tuple(BRIGHTNESS[kind] * part for part in to_rgb(color))


def sides(axis: Axes, plane: str) -> None:
    """Write the patient's sides at the left and right edge, rimmed in black, as a tight crop has tissue there."""
    rim = [withStroke(linewidth=2, foreground="black")]
    for place, letter in zip((0.02, 0.98), PLANES[plane][1], strict=True):
        align = "left" if place < 0.5 else "right"
        style = {"color": "white", "ha": align, "va": "center", "fontsize": 9, "path_effects": rim}
        axis.text(place, 0.5, letter, transform=axis.transAxes, **style)


def scale_bar(axis: Axes) -> None:
    """Draw a bar as long as SCALE_BAR_MM in the lower right corner of a slice drawn by `grey`."""
    width, height = axis.get_xlim()[1], axis.get_ylim()[0]
    end, base = width * 0.97, height * 0.96
    axis.plot((end - SCALE_BAR_MM, end), (base, base), color="white", linewidth=2, solid_capstyle="butt")
    label = f"{SCALE_BAR_MM} mm"
    axis.text(end - SCALE_BAR_MM / 2, base - 2, label, color="white", ha="center", va="bottom", fontsize=7)
