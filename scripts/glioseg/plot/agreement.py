"""Agreement of predicted and true volumes, and Dice against tumor size."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glioseg.colors import GREY, INK, NETWORK_COLOR
from glioseg.evaluate.score_table import NETWORK
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table
from glioseg.labels import REGION_NAMES, REGIONS
from glioseg.plot.style import dice_axis, sentence

LEAST_ML = 0.1  # the volume axis is linear below this, so that an absent region can be shown at 0


def draw(inputs: Sequence[Path]) -> Figure:
    """Plot the network's volumes and Dice per region from subjects.tsv of `summarize`.

    A subject that could not be predicted is shown if the table has its volumes.
    """
    (table,) = inputs
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in read_table(table, SUBJECT_COLUMNS):
        if row["method"] == NETWORK and row["region"] in REGIONS:
            found.setdefault((row["region"], row["subject"]), {})[row["metric"]] = float(row["value"])
    shown = ("truth_ml", "predicted_ml", "dice")
    values: dict[str, tuple[list, ...]] = {}
    for (region, _), scores_of in found.items():
        if set(shown) <= set(scores_of):
            for column, name in zip(values.setdefault(region, ([], [], [])), shown, strict=True):
                column.append(scores_of[name])
    return agreement(values)


def agreement(values: Mapping[str, Sequence[Sequence[float]]]) -> Figure:
    """Plot volumes above and Dice below, with a column per region and a point per subject.

    The upper plots show predicted minus true volume against their mean, with the mean difference and the limits of
    agreement at ±1.96 standard deviations (Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8). A single subject
    has no limits. The lower plots show Dice against the true volume.

    values: region -> truth_ml, predicted_ml and Dice, each with one value per subject. With none, the figure says so.
    """
    names = [name for name in REGIONS if name in values and len(values[name][0])]
    if not names:
        return sentence("No subject was scored: none had both a mask and a prediction.")
    figure = Figure(figsize=(9.6 if len(names) > 1 else 5, 5.8), layout="constrained")
    panels = figure.subplots(2, len(names), squeeze=False)
    for name, above, below in zip(names, *panels, strict=True):
        truth_ml, predicted_ml, dice = map(np.asarray, values[name])
        size = float(np.clip(400 / len(dice), 5, 24))
        style = {"s": size, "color": NETWORK_COLOR, "alpha": 0.75, "edgecolor": "white", "linewidth": 0.3, "zorder": 3}
        above.set_title(f"{REGION_NAMES[name]} ({name})")
        above.scatter((truth_ml + predicted_ml) / 2, predicted_ml - truth_ml, **style)
        _limits(above, predicted_ml - truth_ml)
        largest_ml = max((truth_ml + predicted_ml).max() / 2, 1)
        above.set(xlabel="mean of both volumes (ml)", xlim=(-0.03 * largest_ml, 1.05 * largest_ml))
        below.scatter(truth_ml, dice, **style)
        below.set(xlabel="true volume (ml)")
        dice_axis(below, dice)
        _volume_axis(below, truth_ml)
        for axis in (above, below):
            axis.grid(axis="y")
    panels[0][0].set_ylabel("predicted \N{MINUS SIGN} true volume (ml)")
    panels[1][0].set_ylabel("Dice")
    handles = [
        Line2D([], [], color=INK, label="mean difference"),
        Line2D([], [], color=INK, linestyle="--", linewidth=1, label="limits of agreement (±1.96 SD)"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _limits(axis: Axes, differences_ml: np.ndarray) -> None:
    """Draw lines at the mean difference and at the limits of agreement, each with its value."""
    mean = float(differences_ml.mean())
    spread = 1.96 * float(differences_ml.std(ddof=1)) if len(differences_ml) > 1 else 0.0
    axis.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    axis.axhline(mean, color=INK, linewidth=1.5, zorder=2)
    lines = [mean]
    if spread:
        lines += [mean - spread, mean + spread]
        for at in lines[1:]:
            axis.axhline(at, color=INK, linewidth=1, linestyle="--", zorder=2)
    reach = max(1.15 * np.abs([*differences_ml, *lines]).max(), 0.1)
    axis.set(ylim=(-reach, reach))
    for at in lines:
        text = f"{at:+.1f}".replace("-", "\N{MINUS SIGN}")
        place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
        axis.annotate(text, (1, at), (2, 0), color=INK, fontsize=7.5, **place)
    axis.xaxis.set_major_locator(MaxNLocator(5))


def _volume_axis(axis: Axes, volumes_ml: np.ndarray) -> None:
    """Make the axis logarithmic; if any volume is below LEAST_ML, make it linear below that and add a tick at 0."""
    low, high = volumes_ml.min() / 1.6, 1.6 * max(volumes_ml.max(), 1)
    if volumes_ml.min() < LEAST_ML:
        axis.set_xscale("symlog", linthresh=LEAST_ML, linscale=0.5)
        low, ticks = -0.3 * LEAST_ML, [0]
    else:
        axis.set_xscale("log")
        ticks = []
    axis.set_xlim(low, high)
    steps = (1,) if high > 100 * max(low, LEAST_ML) else (1, 2, 5)
    ticks += [step * power for power in (0.1, 1, 10, 100, 1000) for step in steps if low <= step * power <= high]
    axis.set_xticks(ticks)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda volume_ml, _: f"{volume_ml:g}"))
    axis.minorticks_off()
