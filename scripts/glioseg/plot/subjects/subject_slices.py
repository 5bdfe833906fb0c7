"""Slices of one subject: all modalities, the network input, and truth against prediction.

All volumes are upright (see `slices`) and have the same shape; classes are indices into CLASSES.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glioseg.colors import REGION_COLORS, TISSUES
from glioseg.labels import CLASSES, REGION_NAMES, REGIONS
from glioseg.plot.network_stages import TIMES
from glioseg.plot.style import FAINT, shown_tissues, tissue_handles
from glioseg.plot.subjects.slices import (
    DASHES,
    WIDTHS,
    extent_mm,
    fullest,
    grey,
    outline,
    paint,
    panel,
    scale_bar,
    sides,
)

# Scans share one scale. Small crops are enlarged to LONGEST_INCH; a row of panels is shrunk to WIDEST_INCH.
MM_PER_INCH, LONGEST_INCH, WIDEST_INCH = 58, 2.4, 10
GAP, HEAD, FOOT = 0.08, 0.34, 0.34  # inches
LEGEND_INCH = 6.2  # the width of the legend of contours

# Each modality gets the contours that can be judged on it: FLAIR shows edema; T1ce the enhancing tumor and cavity rim.
SHOWN_ON = {"flair": ("WT", "TC"), "t1ce": ("ET", "RC")}


def modalities(
    images: Mapping[str, np.ndarray], brain: np.ndarray, sizes_mm: np.ndarray, mask: np.ndarray | None
) -> Figure:
    """Show each modality at the axial slice with the most tumor, then the classes of the mask in color.

    Without a mask, the slice with the most brain is shown and there is no mask panel.
    """
    figure, _ = _row(images, brain, sizes_mm, mask, FOOT, "axial")
    if mask is not None:
        _legend(figure, tissue_handles(_tissues(mask)))
    return figure


def sample(
    images: Mapping[str, np.ndarray], brain: np.ndarray, sizes_mm: np.ndarray, mask: np.ndarray | None
) -> Figure:
    """Show the network input: each channel with the histogram of its values in the brain, and the mask.

    The slices are coronal, since `modalities` shows the axial ones, which look nearly the same.
    """
    figure, panels = _row(images, brain, sizes_mm, mask, 1.5, "coronal")
    high = figure.get_figheight()
    for name, axis in panels.items():
        left, width = axis.get_position().x0, axis.get_position().width
        below = figure.add_axes((left + 0.06 * width, 0.62 / high, 0.88 * width, 0.72 / high), facecolor="black")
        below.tick_params(colors=FAINT, labelsize=7.5, length=2)
        below.spines[:].set_visible(False)
        if name in images:
            values = images[name][brain] if brain.any() else images[name].ravel()
            below.hist(values, bins=80, color=FAINT)
            below.set(yticks=[])
        else:
            names = _tissues(mask)
            shares = [100 * (mask == CLASSES.index(name)).sum() / max(1, brain.sum()) for name in names]
            bars = below.barh(names, shares, color=[TISSUES[name] for name in names], height=0.7)
            below.bar_label(bars, [f"{share:.2g} %" for share in shares], color=FAINT, fontsize=7.5, padding=3)
            below.invert_yaxis()
            below.set(xticks=[], xlim=(0, 1.5 * max(*shares, 0.01)))
    shape = f" {TIMES} ".join(str(length) for length in brain.shape)
    words = f"{shape} voxels, {len(images)} channels; histograms of the input values in the brain"
    words += "" if mask is None else "; bars: share of the brain (%)"
    figure.text(0.5, 0.12 / high, words, color=FAINT, ha="center", fontsize=8)
    return figure


def planes(
    images: Mapping[str, np.ndarray],
    brain: np.ndarray,
    sizes_mm: np.ndarray,
    truth: np.ndarray | None,
    prediction: np.ndarray | None,
    title: str,
    shown: Sequence[str],
) -> Figure:
    """Show slices through the tumor, with the contours of the regions in truth and prediction.

    images: one row each; shown: names of PLANES, one column each. The slices are those with the largest tumor area in
    the truth, or in the prediction if there is no truth.
    """
    masks = {"truth": truth, "prediction": prediction}
    masks = {kind: classes for kind, classes in masks.items() if classes is not None}
    guide = next((classes > 0 for classes in masks.values()), brain)
    sizes_in = {
        plane: np.divide(extent_mm(plane, brain.shape, sizes_mm), _mm_per_inch(brain, sizes_mm)) for plane in shown
    }
    row_in = max(height for _, height in sizes_in.values()) + GAP
    filled = sum(width + GAP for width, _ in sizes_in.values()) + GAP
    wide = max(filled, LEGEND_INCH)
    figure = Figure(figsize=(wide, len(images) * row_in + HEAD + 0.25 + FOOT), facecolor="black")
    tissues = {name for classes in masks.values() for name in _tissues(classes)}
    regions = [name for name in REGIONS if tissues & {*REGIONS[name]}]
    contours = [
        [name for name in regions if len(images) == 1 or name in SHOWN_ON.get(image, REGIONS)] for image in images
    ]
    for row, (name, volume) in enumerate(images.items()):
        left, middle = (wide - filled) / 2 + GAP, FOOT + (len(images) - row - 0.5) * row_in
        for plane, (width, height) in sizes_in.items():
            axis = panel(figure, (left, middle - height / 2, width, height))
            index = fullest(guide, plane)
            grey(axis, volume, brain, plane, index, sizes_mm)
            for kind, classes in masks.items():
                outline(axis, classes, plane, index, sizes_mm, contours[row], kind)
            sides(axis, plane)
            if row == 0:
                _heading(figure, left + width / 2, HEAD + 0.02, plane)
            if plane == shown[0]:
                axis.text(0.02, 0.98, name, color="white", transform=axis.transAxes, va="top", fontweight="bold")
            scale_bar(axis)
            left += width + GAP
    figure.text(0.5, 1 - 0.08 / figure.get_figheight(), title, color="white", ha="center", va="top", fontsize=10.5)
    drawn = list(dict.fromkeys(name for names in contours for name in names))
    if masks:
        _legend(figure, _contour_handles(drawn, list(masks)))
    return figure


def _row(
    images: Mapping[str, np.ndarray],
    brain: np.ndarray,
    sizes_mm: np.ndarray,
    mask: np.ndarray | None,
    foot: float,
    plane: str,
) -> tuple[Figure, dict[str, Axes]]:
    """A figure with a row of slices, one per image and one for the mask, and its panels by name."""
    index = fullest(brain if mask is None else mask > 0, plane)
    names = [*images, *(["mask"] if mask is not None else [])]
    size_mm = extent_mm(plane, brain.shape, sizes_mm)
    scale = max(_mm_per_inch(brain, sizes_mm), len(names) * size_mm[0] / WIDEST_INCH)
    width, height = size_mm[0] / scale, size_mm[1] / scale
    figure = Figure(figsize=(len(names) * (width + GAP) + GAP, height + HEAD + foot), facecolor="black")
    panels = {}
    for column, name in enumerate(names):
        left = GAP + column * (width + GAP)
        panels[name] = axis = panel(figure, (left, foot, width, height))
        grey(axis, images.get(name, next(iter(images.values()))), brain, plane, index, sizes_mm)
        sides(axis, plane)
        _heading(figure, left + width / 2, HEAD - 0.08, name)
    if mask is not None:
        panels["mask"].images[0].set_alpha(0.45)
        paint(panels["mask"], mask, plane, index, sizes_mm)
    scale_bar(panels[names[0]])
    return figure, panels


def _tissues(classes: np.ndarray) -> list[str]:
    """The classes to list in the legend of an array of class indices."""
    return shown_tissues(CLASSES[index] for index in np.unique(classes))


def _mm_per_inch(brain: np.ndarray, sizes_mm: np.ndarray) -> float:
    """The scale of all panels of a figure, so that one scale bar is enough."""
    return min(MM_PER_INCH, float(np.multiply(brain.shape, sizes_mm).max()) / LONGEST_INCH)


def _heading(figure: Figure, left_in: float, below_top_in: float, words: str) -> None:
    wide, high = figure.get_size_inches()
    figure.text(left_in / wide, 1 - below_top_in / high, words, color="white", ha="center", va="center", fontsize=9)


def _legend(figure: Figure, handles: list) -> None:
    figure.legend(
        handles=handles, loc="lower center", ncols=len(handles), labelcolor=FAINT, fontsize=8, handlelength=1.4
    )


def _contour_handles(regions: list[str], kinds: list[str]) -> list[Line2D]:
    """Legend handles: a color per region, and a line style per `kind` (truth, prediction)."""
    colors = [Line2D([], [], color=REGION_COLORS[name], linewidth=3, label=REGION_NAMES[name]) for name in regions]
    lines = [
        Line2D([], [], color="white", linewidth=WIDTHS[kind], linestyle=DASHES[kind], label=kind) for kind in kinds
    ]
    return colors + lines
