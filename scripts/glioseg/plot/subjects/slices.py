"""Slices of a volume: turn it upright, cut it, and draw its tissues, contours, sides and scale.

The three axes of an upright volume point to the patient's right, front and top. Figures follow the radiological
convention: the patient's right is on the viewer's left.
"""

import math
from collections.abc import Iterable, Sequence

import nibabel as nib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from glioseg.colors import REGION_COLORS, TISSUES
from glioseg.labels import CLASSES, region
from glioseg.volumes.boxes import bounding_box
from glioseg.volumes.orientation import spacing_mm

# The axis of an upright volume that a plane cuts, and the patient's sides at the left, right, upper and lower edge.
PLANES = {"axial": (2, "RLAP"), "coronal": (1, "RLSI"), "sagittal": (0, "APSI")}
MARGIN_MM, SCALE_BAR_MM = 6, 20
# The truth is dashed and wide, the prediction solid and fine, so that both are visible where they agree. The lines are
# opaque, because two translucent colors on top of each other would give a third.
WIDTHS = {"truth": 1.9, "prediction": 0.8}
DASHES = {"truth": (0, (2.2, 1.8)), "prediction": "-"}


def turn(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The upright volume: the axes of a volume (X, Y, Z) swapped and flipped as the 4x4 affine says, not resampled."""
    return nib.apply_orientation(volume, nib.io_orientation(affine))


def spacing(affine: np.ndarray) -> np.ndarray:
    """Voxel size (3,) in mm along the axes of the upright volume."""
    return turn_sizes(spacing_mm(affine), affine)


def turn_sizes(sizes_mm: Sequence[float], affine: np.ndarray) -> np.ndarray:
    """Voxel sizes (3,) in mm along the axes of the upright volume, from those along the axes of the original volume."""
    upright = np.empty(3)
    upright[nib.io_orientation(affine)[:, 0].astype(int)] = sizes_mm
    return upright


def box(brain: np.ndarray, sizes_mm: np.ndarray) -> tuple[slice, slice, slice]:
    """The part of an upright volume that contains the brain, with a margin; all of it if the mask is empty."""
    margins = [math.ceil(MARGIN_MM / size) for size in sizes_mm]
    return tuple(
        slice(max(0, low - margin), high + margin)
        for (low, high), margin in zip(bounding_box(brain), margins, strict=True)
    )


def slice_of(volume: np.ndarray, plane: str, index: int) -> np.ndarray:
    """One slice (rows, columns) of an upright volume as displayed: the top row and the left column come first."""
    return np.take(volume, index, axis=PLANES[plane][0])[::-1, ::-1].T


def fullest(mask: np.ndarray, plane: str) -> int:
    """Index of the slice of an upright mask with the most voxels set; the middle one of equals, or of an empty mask."""
    areas = mask.sum(axis=tuple({0, 1, 2} - {PLANES[plane][0]}))
    best = np.flatnonzero(areas == areas.max())
    return int(best[len(best) // 2])


def extent_mm(plane: str, shape: Iterable[int], sizes_mm: np.ndarray) -> tuple[float, float]:
    """Width and height in mm of a plane's slices."""
    return tuple(np.delete(np.multiply(shape, sizes_mm), PLANES[plane][0]).tolist())


def window(volume: np.ndarray, brain: np.ndarray) -> tuple[float, float]:
    """Values shown as black and white: the 1st and 99.7th percentile in the brain (of all voxels if it is empty)."""
    low, high = np.percentile(volume[brain] if brain.any() else volume, (1, 99.7))
    return float(low), float(max(high, low + 1e-6))


def panel(figure: Figure, place_in: tuple[float, float, float, float]) -> Axes:
    """Axes without ticks; place_in: left, bottom, width, height in inches from the figure's lower left corner."""
    wide, high = figure.get_size_inches()
    left, bottom, width, height = place_in
    axis = figure.add_axes((left / wide, bottom / high, width / wide, height / high), facecolor="black")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    return axis


def grey(axis: Axes, volume: np.ndarray, brain: np.ndarray, plane: str, index: int, sizes_mm: np.ndarray) -> None:
    """Draw a slice of an upright volume in greys, black outside the brain, with axes in mm."""
    low, high = window(volume, brain)
    scaled = np.clip((slice_of(volume, plane, index).astype(np.float32) - low) / (high - low), 0, 1)
    width, height = extent_mm(plane, volume.shape, sizes_mm)
    axis.imshow(
        np.where(slice_of(brain, plane, index), scaled, 0),
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(0, width, height, 0),
        interpolation="bilinear",
    )


def paint(axis: Axes, classes: np.ndarray, plane: str, index: int, sizes_mm: np.ndarray) -> None:
    """Fill the tissue classes of a slice with their colors; the background stays as it is."""
    width, height = extent_mm(plane, classes.shape, sizes_mm)
    shown = np.ma.masked_equal(slice_of(classes, plane, index), 0)
    colors = ListedColormap([TISSUES[name] for name in CLASSES[1:]])
    axis.imshow(
        shown, cmap=colors, vmin=1, vmax=len(CLASSES) - 1, extent=(0, width, height, 0), interpolation="nearest"
    )


def outline(
    axis: Axes, classes: np.ndarray, plane: str, index: int, sizes_mm: np.ndarray, regions: Iterable[str], kind: str
) -> None:
    """Draw the contours of a slice's regions in the style of `kind`, "truth" or "prediction"."""
    slice_ = slice_of(classes, plane, index)
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
                colors=[REGION_COLORS[name]],
                linewidths=WIDTHS[kind],
                linestyles=[DASHES[kind]],
            )


def sides(axis: Axes, plane: str) -> None:
    """Write the patient's sides at the four edges, outlined in black, because tissue may be behind them."""
    rim = [withStroke(linewidth=2, foreground="black")]
    places = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.985), "bottom": (0.5, 0.015)}
    for (edge, place), letter in zip(places.items(), PLANES[plane][1], strict=True):
        align = {"ha": edge, "va": "center"} if edge in ("left", "right") else {"ha": "center", "va": edge}
        style = {"color": "white", "fontsize": 9, "path_effects": rim, **align}
        axis.text(*place, letter, transform=axis.transAxes, **style)


def scale_bar(axis: Axes) -> None:
    """Draw a bar of SCALE_BAR_MM in the lower right corner of a slice drawn by `grey`."""
    width, height = axis.get_xlim()[1], axis.get_ylim()[0]
    end, base = width * 0.97, height * 0.96
    axis.plot((end - SCALE_BAR_MM, end), (base, base), color="white", linewidth=2, solid_capstyle="butt")
    label = f"{SCALE_BAR_MM} mm"
    axis.text(end - SCALE_BAR_MM / 2, base - 2, label, color="white", ha="center", va="bottom", fontsize=7.5)
