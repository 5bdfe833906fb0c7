"""Scores per region of the network and the baselines."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glioseg.evaluate.metrics import ABSENT_HD95_MM
from glioseg.evaluate.score_table import NETWORK
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table
from glioseg.labels import REGION_NAMES, REGIONS
from glioseg.plot.style import (
    METHODS,
    _boxes,
    dice_axis,
    distance_ticks,
    sentence,
)


def draw(inputs: Sequence[Path]) -> Figure:
    """Plot Dice and HD95 per region and method from subjects.tsv of `summarize`."""
    (table,) = inputs
    values: dict = {"dice": {}, "hd95_mm": {}}
    for row in read_table(table, SUBJECT_COLUMNS):
        if row["metric"] in values and row["region"] in REGIONS:
            methods = values[row["metric"]].setdefault(row["method"], {})
            methods.setdefault(row["region"], []).append(float(row["value"]))
    for metric, methods in values.items():
        values[metric] = dict(sorted(methods.items(), key=lambda method: method[0] != NETWORK))
    return scores(values)


def scores(values: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> Figure:
    """Plot Dice and 95 % Hausdorff distance per region: boxes with a point per subject, methods side by side.

    values: metric ("dice", "hd95_mm") -> method -> region -> one value per subject. Regions and metrics without values
    are left out. Without values at all, the figure says so.
    """
    metrics = {name: methods for name, methods in values.items() if methods}
    if not metrics:
        return sentence("No subject was scored: none had both a mask and a prediction.")
    found = {region for methods in metrics.values() for regions in methods.values() for region in regions}
    names = [name for name in REGIONS if name in found]
    widths = [max(1.6, 0.53 * len(names), 0.6 + 0.8 * len(methods)) for methods in metrics.values()]
    figure = Figure(figsize=(9.6 if len(metrics) > 1 else 6, 3.9), layout="constrained")
    panels = figure.subplots(1, len(metrics), width_ratios=widths, squeeze=False)[0]
    order = list(dict.fromkeys(method for methods in metrics.values() for method in methods))
    colors = {method: METHODS[place % len(METHODS)] for place, method in enumerate(order)}
    for axis, (metric, methods) in zip(panels, metrics.items(), strict=True):
        for method, regions in methods.items():
            for x, name in enumerate(names):
                # A method without scores of a region leaves no empty place there.
                scored = [other for other in methods if len(methods[other].get(name, ()))]
                if method in scored:
                    _boxes(axis, [regions[name]], scored.index(method), len(scored), colors[method], first=x)
        axis.set_xticks(range(len(names)), [f"{REGION_NAMES[name]} ({name})".replace(" ", "\n", 1) for name in names])
        axis.tick_params(axis="x", length=0)
        axis.grid(axis="y")
        if metric == "dice":
            axis.set(title="Dice: higher is better")
            dice_axis(axis, [value for regions in methods.values() for scored in regions.values() for value in scored])
        else:
            axis.set_yscale("symlog", linthresh=2)
            ticks = distance_ticks([float(max(scored)) for regions in methods.values() for scored in regions.values()])
            axis.set(title="HD95 (mm): lower is better", ylim=(-0.1, 1.15 * ticks[-1]))
            axis.set_yticks(ticks, ["absent" if tick == ABSENT_HD95_MM else str(tick) for tick in ticks])
            axis.minorticks_off()
    handles = [Line2D([], [], color=colors[method], linewidth=5, label=method) for method in order]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure
