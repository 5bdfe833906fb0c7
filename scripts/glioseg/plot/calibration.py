"""Reliability diagrams of the network's probabilities."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glioseg.colors import GREY, INK, NETWORK_COLOR
from glioseg.evaluate.calibration import (
    BEFORE,
    CALIBRATION_COLUMNS,
    EDGES,
    WRITTEN,
    Bins,
    bins_of,
    expected_error,
    missed,
    pooled,
)
from glioseg.files import read_table
from glioseg.labels import REGION_NAMES, REGIONS
from glioseg.plot.style import sentence

FEWEST = 50  # voxels; a subject's bin with fewer is not drawn, because its share of true voxels is too noisy


def draw(inputs: Sequence[Path]) -> Figure:
    """Plot reliability diagrams from calibration.tsv of `summarize`."""
    (table,) = inputs
    rows = read_table(table, CALIBRATION_COLUMNS)
    return calibration(bins_of(rows, WRITTEN), bins_of(rows, BEFORE))


def calibration(
    values: Mapping[str, Mapping[str, Bins]], before: Mapping[str, Mapping[str, Bins]] | None = None
) -> Figure:
    """Plot the share of true voxels against their predicted probability, and below it the voxels of each bin.

    There is a column per region, with a thin line per subject and a thick line for all subjects pooled. The lowest bin
    is left out. Reliability diagrams: DeGroot & Fienberg 1983, doi:10.2307/2987588.

    values: region -> subject -> bins of `calibration`; before: the same before a temperature was applied, which is a
    dashed line. Without values, the figure says so.
    """
    names = [name for name in REGIONS if values.get(name)]
    if not names:
        return sentence("No probabilities were kept for any subject with a mask.")
    figure = Figure(figsize=(9.6 if len(names) > 1 else 5, 5.2), layout="constrained")
    panels = figure.subplots(2, len(names), squeeze=False, sharex=True, height_ratios=(3, 1))
    for name, above, below in zip(names, *panels, strict=True):
        subjects = values[name].values()
        everyone = pooled(subjects)
        first = pooled((before or {}).get(name, {}).values())
        above.set_title(f"{REGION_NAMES[name]} ({name})")
        above.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":", zorder=1)
        for bins in subjects:
            _line(
                above,
                bins,
                FEWEST,
                color=NETWORK_COLOR,
                linewidth=0.7,
                alpha=float(np.clip(6 / len(subjects), 0.08, 0.5)),
            )
        if sum(first["voxels"]):
            _line(above, first, 1, color=INK, linewidth=1.2, linestyle="--", zorder=2)
        _line(above, everyone, 1, color=NETWORK_COLOR, linewidth=2, marker="o", markersize=4.5, zorder=3)
        words = f"expected calibration error {expected_error(everyone):.3f}\n"
        words += f"before calibration {expected_error(first):.3f}\n" if sum(first["voxels"]) else ""
        words += f"{100 * missed(everyone):.1f} % of the truth\nhas a probability < 10 %"
        above.text(0.03, 0.97, words, transform=above.transAxes, va="top", color=INK, fontsize=7.5)
        above.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.25), yticks=np.linspace(0, 1, 6))
        widths = np.diff(EDGES[1:])
        voxels = np.array(everyone["voxels"][1:])
        percent = 100 * voxels / max(voxels.sum(), 1)
        below.bar(EDGES[1:-1], percent, widths, align="edge", color=NETWORK_COLOR, alpha=0.6, edgecolor="white")
        below.set(xlabel="probability", xticks=np.linspace(0, 1, 6))
        for axis in (above, below):
            axis.grid(axis="y")
    panels[0][0].set_ylabel("share of true voxels")
    panels[1][0].set_ylabel("% of the voxels\nwith p ≥ 10 %")
    handles = [
        Line2D([], [], color=NETWORK_COLOR, linewidth=2, marker="o", markersize=4.5, label="all subjects pooled"),
        Line2D([], [], color=NETWORK_COLOR, linewidth=0.7, label="one subject"),
        Line2D([], [], color=GREY, linewidth=0.8, linestyle=":", label="perfect calibration"),
    ]
    if before:
        handles.insert(1, Line2D([], [], color=INK, linewidth=1.2, linestyle="--", label="pooled, before calibration"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _line(axis: Axes, bins: Bins, fewest: int, **style) -> None:
    """Plot the share of true voxels against the mean probability of each bin with at least `fewest` voxels."""
    voxels, probability, true = (np.array(bins[name][1:], float) for name in ("voxels", "probability", "true"))
    shown = voxels >= fewest
    axis.plot(probability[shown] / voxels[shown], true[shown] / voxels[shown], **style)
