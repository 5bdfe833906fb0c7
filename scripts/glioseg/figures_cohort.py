"""Charts of the whole cohort: learning curves, scores per region beside the baselines, tumor volumes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from glioseg.figures_style import BLUE, GREY, INK, METHODS, TISSUES, VERMILION, shown_tissues, tissue_handles
from glioseg.labels import CLASSES, REGION_NAMES, REGIONS
from glioseg.metrics import ABSENT_HD95_MM

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
BOX_FROM = 5  # points; of fewer, quartiles say nothing, and only the median is drawn
NAMED_UP_TO = 40  # subjects whose names are written under their bars; more would overlap


def curves(histories: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Learning curves: a panel per quantity, training and validation, a thin line per fold and their mean.

    histories: fold -> column -> value per epoch, NaN where an epoch was not validated; absent columns leave no panel.
    """
    names = [name for name in PANELS if any(name in history for history in histories.values())]
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(9.6, 2.35 * rows + 0.35), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for axis, name in zip(axes.flat, names, strict=False):
        for column, color in ((name, BLUE), (f"val_{name}", VERMILION)):
            lines = [_known(history, column) for history in histories.values() if column in history]
            for epochs, values in lines:
                axis.plot(epochs, values, color=color, linewidth=0.8, alpha=0.45 if len(lines) > 1 else 1)
            if len(lines) > 1:
                axis.plot(*_mean_line(lines), color=color, linewidth=1.9)
        axis.set_title(PANELS[name])
        axis.grid(axis="y")
        if name == "learning_rate":
            axis.set_yscale("log")
        elif name != "loss":
            axis.set_ylim(None if name == "accuracy" else 0, 1)
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    figure.supxlabel("epoch", fontsize=9)
    handles = [Line2D([], [], color=BLUE, label="training"), Line2D([], [], color=VERMILION, label="validation")]
    if len(histories) > 1:
        handles.append(Line2D([], [], color=GREY, linewidth=0.8, label=f"one of {len(histories)} models"))
        handles.append(Line2D([], [], color=GREY, linewidth=1.9, label="mean of the models"))
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return figure


def scores(values: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]]) -> Figure:
    """Dice and 95 % Hausdorff distance per region: boxes with every subject as a point, methods side by side.

    values: metric ("dice", "hd95_mm") -> method -> region -> one value per subject. Regions and metrics without any
    value are left out; with none at all the figure says so.
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
        for place, (method, regions) in enumerate(methods.items()):
            _boxes(axis, [regions.get(name, ()) for name in names], place, len(methods), colors[method])
        axis.set_xticks(range(len(names)), [f"{REGION_NAMES[name]} ({name})".replace(" ", "\n", 1) for name in names])
        axis.tick_params(axis="x", length=0)
        axis.grid(axis="y")
        if metric == "dice":
            axis.set(title="Dice: higher is better", ylim=(-0.02, 1.02), yticks=np.linspace(0, 1, 6))
        else:
            axis.set_yscale("symlog", linthresh=2)
            ticks = [0, 1, 2, 5, 10, 20, 50, 100, 200]
            axis.set(title="HD95 (mm): lower is better", ylim=(-0.1, 1.15 * ABSENT_HD95_MM))
            axis.set_yticks([*ticks, ABSENT_HD95_MM], [*map(str, ticks), "absent"])
            axis.minorticks_off()
    handles = [Line2D([], [], color=colors[method], linewidth=5, label=method) for method in order]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def cohort(volumes_ml: Mapping[str, Sequence[float]], folds: Mapping[str, str]) -> Figure:
    """Volume per tissue class: a stacked bar per subject, by fold, largest tumor first; and whole tumors per fold.

    volumes_ml: subject -> one volume per class of CLASSES but the background; folds: subject -> fold. Classes that not
    every data set has are left out where nobody has them. A cohort without masks gives a figure that says so.
    """
    if not volumes_ml:
        return sentence("No subject has a mask, so no tumor volume is known.")
    volumes = {name: dict(zip(CLASSES[1:], of_subject, strict=True)) for name, of_subject in volumes_ml.items()}
    tissues = shown_tissues(tissue for tissue in TISSUES if any(of[tissue] > 0 for of in volumes.values()))
    tumor_ml = {name: sum(of_subject[tissue] for tissue in REGIONS["WT"]) for name, of_subject in volumes.items()}
    names = sorted(volumes, key=lambda name: (*_fold_order(folds[name]), -tumor_ml[name], name))
    groups = list(dict.fromkeys(folds[name] for name in names))
    figure = Figure(
        figsize=(np.clip(4 + 0.45 * len(names), 6, 9.6), 3.9 if len(names) <= NAMED_UP_TO else 3.4),
        layout="constrained",
    )
    bars, strips = figure.subplots(1, 2, width_ratios=(np.clip(len(names) / 6, 1.5, 4), 1 + 0.25 * len(groups)))
    # A gap of one bar between folds: their brackets stay apart.
    places = np.arange(len(names)) + np.array([groups.index(folds[name]) for name in names])
    base = np.zeros(len(names))
    for tissue in tissues:
        heights = np.array([volumes[name][tissue] for name in names])
        thick = len(names) <= NAMED_UP_TO
        bars.bar(
            places, heights, 0.8 if thick else 1, base, color=TISSUES[tissue], edgecolor=INK, lw=0.3 if thick else 0
        )
        base += heights
    what = "tumor and cavity" if "cavity" in tissues else "tumor"
    bars.set(title=f"{what} volume (ml) per subject", xlim=(-1, places[-1] + 1), ylim=(0, 1.12 * max(base.max(), 1e-3)))
    bars.grid(axis="y")
    for fold in groups:
        inside = places[[folds[name] == fold for name in names]]
        bars.plot((inside[0] - 0.4, inside[-1] + 0.4), [1.03 * base.max()] * 2, color=GREY, linewidth=1)
        bars.text(inside.mean(), 1.05 * base.max(), fold_name(fold), ha="center", va="bottom", color=INK, fontsize=8)
    if len(names) <= NAMED_UP_TO:
        bars.set_xticks(places, names, rotation=60 if len(names) > 4 else 0, ha="right" if len(names) > 4 else "center")
        bars.tick_params(axis="x", labelsize=7, length=0)
    else:
        bars.set_xticks([])
    totals = [np.array([tumor_ml[name] for name in names if folds[name] == fold]) for fold in groups]
    for place, total in enumerate(totals):
        _boxes(strips, [total], 0, 1, BLUE, first=place)
    strips.set_xticks(range(len(groups)), [fold_name(fold) for fold in groups], rotation=60 if len(groups) > 6 else 0)
    strips.set(title="whole tumor (ml) per fold", ylim=(0, None))
    strips.tick_params(axis="x", length=0, labelsize=8)
    strips.grid(axis="y")
    figure.legend(handles=tissue_handles(tissues), loc="outside lower center", ncols=len(tissues))
    return figure


def fold_name(fold: str) -> str:
    """A fold of the cohort table in words: "fold 1" for "1"; "test", "train" and "new" as they are."""
    return f"fold {fold}" if fold.isdecimal() else fold


def sentence(words: str) -> Figure:
    """A figure that says why it shows nothing."""
    figure = Figure(figsize=(6, 1.5))
    figure.text(0.5, 0.5, words, ha="center", color=INK)
    return figure


def _fold_order(fold: str) -> tuple[int, int]:
    return (0, int(fold)) if fold.isdecimal() else (1, ("train", "test", "new").index(fold))


def _known(history: Mapping[str, np.ndarray], column: str) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(history[column])
    return history["epoch"][known], history[column][known]


def _mean_line(lines: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the folds at the epochs that all of them have."""
    shared = sorted(set.intersection(*(set(epochs.tolist()) for epochs, _ in lines)))
    values = [[dict(zip(epochs.tolist(), line, strict=True))[epoch] for epoch in shared] for epochs, line in lines]
    return np.array(shared), np.mean(values, axis=0)


def _boxes(axis: Axes, groups: Sequence[np.ndarray], place: int, places: int, color: str, first: int = 0) -> None:
    """Boxes (quartiles, median, whiskers to 1.5 times their range) at x = first, first + 1, …, all points over them.

    An empty group leaves its place empty.
    """
    room = 0.8 / places
    for x, group in enumerate(groups, start=first):
        if not len(group):
            continue
        center = x + (place + 0.5) * room - 0.4
        if len(group) < BOX_FROM:
            axis.plot(
                (center - 0.31 * room, center + 0.31 * room), [np.median(group)] * 2, color=INK, linewidth=1.4, zorder=4
            )
        else:
            axis.boxplot(
                [group],
                positions=[center],
                widths=0.62 * room,
                showfliers=False,
                patch_artist=True,
                boxprops={"facecolor": color, "alpha": 0.3, "edgecolor": color},
                medianprops={"color": INK, "linewidth": 1.4, "zorder": 4},
                whiskerprops={"color": color},
                capprops={"color": color},
                manage_ticks=False,
            )
        # Steps of the golden ratio spread points evenly and the same way every time, whatever their number.
        shifts = (np.arange(len(group)) * 0.618034 % 1 - 0.5) * 0.5 * room
        size = float(np.clip(160 / max(len(group), 1), 3, 16))
        axis.scatter(center + shifts, group, s=size, color=color, edgecolor="white", linewidth=0.3, zorder=3)
