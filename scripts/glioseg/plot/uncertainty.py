"""Dice of segmentations against their uncertainty."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import spearmanr

from glioseg.colors import GREY, NETWORK_COLOR
from glioseg.files import read_table
from glioseg.plot.style import dice_axis

FEWEST = 10  # subjects; the interval of a rank correlation of fewer holds nearly every value


def draw(inputs: Sequence[Path]) -> Figure:
    """Plot mean Dice against uncertainty from uncertainty.tsv of `summarize`."""
    (table,) = inputs
    rows = read_table(table, ("uncertainty", "dice"))
    values, dice = ([float(row[name] or "nan") for row in rows] for name in ("uncertainty", "dice"))
    return uncertainty(values, dice)


def uncertainty(values: Sequence[float], dice: Sequence[float]) -> Figure:
    """Plot mean Dice against uncertainty (0 to 1) with a point per subject, and show their rank correlation.

    dice: NaN for subjects without a mask; their uncertainties are ticks on the axis.
    """
    values, dice = np.asarray(values, float), np.asarray(dice, float)
    scored = ~np.isnan(dice)
    figure = Figure(figsize=(5.2, 3.8), layout="constrained")
    axis = figure.subplots()
    axis.scatter(
        values[scored], dice[scored], s=22, color=NETWORK_COLOR, alpha=0.8, edgecolor="white", linewidth=0.4, zorder=3
    )
    for value in values[~scored]:
        axis.axvline(value, ymax=0.04, color=GREY, linewidth=1)
    most = float(values.max()) if len(values) else 0.0
    axis.set(xlabel="uncertainty (1 \N{MINUS SIGN} expected Dice)", ylabel="mean Dice")
    dice_axis(axis, dice)
    axis.set_xlim(0, max(1.1 * most, 0.05))
    axis.axline((0, 1), (1, 0), color=GREY, linewidth=0.8, linestyle="--", zorder=1, label="expected Dice")
    axis.legend(loc="lower left")
    axis.set_title(_title(values[scored], dice[scored]), fontsize=9, loc="left")
    axis.grid(axis="y")
    return figure


def _title(values: np.ndarray, dice: np.ndarray) -> str:
    if len(dice) < FEWEST or np.ptp(values) == 0 or np.ptp(dice) == 0:
        subjects = "subject" if len(dice) == 1 else "subjects"
        return f"{len(dice)} scored {subjects}: too few or too similar for a rank correlation"
    rank = f"{spearmanr(values, dice).statistic:+.2f}".replace("-", "\N{MINUS SIGN}")
    return f"{len(dice)} scored subjects, Spearman's rank correlation {rank}"
