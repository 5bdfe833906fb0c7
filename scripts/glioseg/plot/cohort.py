"""Tumor volumes of the whole cohort."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from glioseg.colors import GREY, INK, REGION_COLORS, TISSUES
from glioseg.files import read_json, read_table
from glioseg.labels import CLASSES, REGIONS
from glioseg.plot.style import _boxes, sentence, shown_tissues, tissue_handles
from glioseg.volumes.orientation import voxel_ml

NAMED_UP_TO = 40  # subjects; the names of more would overlap under the bars


def draw(inputs: Sequence[Path]) -> Figure:
    """Plot tumor volumes; inputs are the cohort table, then the folder with each subject's scan.json."""
    table, preprocessed = inputs
    volumes_ml, folds = {}, {}
    for row in read_table(table, ("subject", "verdict", "fold", "has_mask")):
        if row["verdict"] != "excluded" and row["has_mask"] == "yes":
            scan = read_json(preprocessed / row["subject"] / "scan.json")
            size_ml = voxel_ml(scan["spacing_mm"])
            volumes_ml[row["subject"]] = [scan["classes"].get(tissue, 0) * size_ml for tissue in CLASSES[1:]]
            folds[row["subject"]] = row["fold"]
    return cohort(volumes_ml, folds)


def cohort(volumes_ml: Mapping[str, Sequence[float]], folds: Mapping[str, str]) -> Figure:
    """Plot a stacked bar of tissue volumes per subject, by fold and largest tumor first, and whole tumors per fold.

    volumes_ml: subject -> one volume per class of CLASSES except the background; folds: subject -> fold. Classes that
    only some data sets have are left out if no subject has them. Without masks, the figure says so.
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
    # A gap of one bar between folds separates their brackets.
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
        bars.set_xticks(places, names, rotation=60 if len(names) > 1 else 0, ha="right" if len(names) > 1 else "center")
        bars.tick_params(axis="x", labelsize=7, length=0)
    else:
        bars.set_xticks([])
    totals = [np.array([tumor_ml[name] for name in names if folds[name] == fold]) for fold in groups]
    for place, total in enumerate(totals):
        _boxes(strips, [total], 0, 1, REGION_COLORS["WT"], first=place)
    strips.set_xticks(range(len(groups)), [fold_name(fold) for fold in groups], rotation=60 if len(groups) > 6 else 0)
    strips.set(title="whole tumor (ml) per fold", ylim=(0, None))
    strips.tick_params(axis="x", length=0, labelsize=8)
    strips.grid(axis="y")
    figure.legend(handles=tissue_handles(tissues), loc="outside lower center", ncols=len(tissues))
    return figure


def fold_name(fold: str) -> str:
    """The label of a fold of the cohort table: "fold 1" for "1"; "test", "train" and "new" are unchanged."""
    return f"fold {fold}" if fold.isdecimal() else fold


def _fold_order(fold: str) -> tuple[int, int]:
    return (0, int(fold)) if fold.isdecimal() else (1, ("train", "test", "new").index(fold))
