"""Learning curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glioseg.colors import GREY, INK, NETWORK_COLOR
from glioseg.files import read_table

PANELS = {
    "loss": "loss",
    "accuracy": "accuracy",
    "iou": "intersection over union",
    "dice": "Dice, mean of the regions",
    "dice_wt": "Dice, whole tumor",
    "dice_tc": "Dice, tumor core",
    "dice_et": "Dice, enhancing tumor",
    "dice_rc": "Dice, resection cavity",
    "learning_rate": "learning rate",
}


def draw(histories: Sequence[Path]) -> Figure:
    """Plot learning curves from files train/{model}/history.tsv; each model has the name of its folder."""
    return curves({path.parent.name: _columns(path) for path in histories})


def curves(histories: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Plot training and validation curves, with a panel per quantity, a thin line per model and their mean.

    histories: model -> column -> value per epoch, NaN where an epoch was not validated. Absent columns have no panel.
    """
    names = [name for name in PANELS if any(name in history for history in histories.values())]
    # As many columns as leave the fewest places empty.
    columns = min(range(min(4, len(names)), min(2, len(names) - 1), -1), key=lambda count: -len(names) % count)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(9.6, 2.35 * rows + 0.35), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axis, name in zip(axes.flat, names, strict=False):
        for column, color in ((name, GREY), (f"val_{name}", NETWORK_COLOR)):
            lines = [_recorded(history, column) for history in histories.values() if column in history]
            for epochs, values in lines:
                axis.plot(epochs, values, color=color, linewidth=0.8, alpha=0.45 if len(lines) > 1 else 1)
            if len(lines) > 1:
                axis.plot(*_mean_line(lines), color=color, linewidth=1.9)
        axis.set_title(PANELS[name])
        axis.grid(axis="y")
        if name == "learning_rate":
            axis.set_yscale("log")
            # The last epochs of a schedule may end at almost nothing.
            axis.set_ylim(bottom=max(axis.get_ylim()[0], 1e-3 * max(line.get_ydata().max() for line in axis.lines)))
        elif name != "loss":
            axis.set_ylim(None if name == "accuracy" else 0, 1)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    figure.supxlabel("epoch", fontsize=9)
    handles = [Line2D([], [], color=GREY, label="training"), Line2D([], [], color=NETWORK_COLOR, label="validation")]
    if len(histories) > 1:
        handles.append(Line2D([], [], color=INK, linewidth=0.8, label=f"one of {len(histories)} models"))
        handles.append(Line2D([], [], color=INK, linewidth=1.9, label="mean of the models"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def _recorded(history: Mapping[str, np.ndarray], column: str) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(history[column])
    return history["epoch"][known], history[column][known]


def _mean_line(lines: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the models at the epochs that all of them have."""
    shared = sorted(set.intersection(*(set(epochs.tolist()) for epochs, _ in lines)))
    values = [[dict(zip(epochs.tolist(), line, strict=True))[epoch] for epoch in shared] for epochs, line in lines]
    return np.array(shared), np.mean(values, axis=0)


def _columns(path: Path) -> dict[str, np.ndarray]:
    rows = read_table(path, ("epoch",))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in (rows[0] if rows else ())}
