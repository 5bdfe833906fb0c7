"""Predicted tumor volumes over the visits of each patient."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from glioseg.colors import GREY, NETWORK_COLOR
from glioseg.files import read_table
from glioseg.labels import EVERYWHERE, REGION_NAMES
from glioseg.plot.style import sentence

# All volumes are the network's, so all lines of named patients have its color; marks and dashes distinguish them.
MARKS = (("o", "-"), ("s", "--"), ("^", ":"), ("D", "-."), ("v", (0, (5, 1))), ("P", (0, (1, 3))))
NAMED = len(MARKS)  # patients with a name in the legend


def draw(inputs: Sequence[Path]) -> Figure:
    """Plot the volumes of WT, TC and ET from volumes.tsv of `summarize`; visits are in the order of their names."""
    (table,) = inputs
    columns = [f"{name}_ml" for name in EVERYWHERE]
    patients: dict[str, list[list[float]]] = {}
    for row in sorted(read_table(table, ("subject", "patient", *columns)), key=lambda row: row["subject"]):
        patients.setdefault(row["patient"], []).append([float(row[column]) for column in columns])
    return visits({patient: np.array(volumes) for patient, volumes in patients.items() if len(volumes) > 1})


def visits(volumes_ml: Mapping[str, np.ndarray]) -> Figure:
    """Plot volumes against the number of the visit, with a panel per region and a line per patient.

    volumes_ml: patient -> volumes of WT, TC and ET (visits, 3), with two visits or more. The patients whose whole tumor
    changed most have a mark and a name; the others are grey. With none, the figure says so.
    """
    if not volumes_ml:
        return sentence("No patient has segmentations of several visits.")
    order = sorted(volumes_ml, key=lambda patient: (-np.ptp(volumes_ml[patient][:, 0]), patient))
    marks = dict(zip(order, MARKS, strict=False))
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    panels = figure.subplots(1, len(EVERYWHERE))
    for place, (name, axis) in enumerate(zip(EVERYWHERE, panels, strict=True)):
        for patient in reversed(order):
            values = volumes_ml[patient][:, place]
            named = patient in marks
            mark, dashes = marks.get(patient, ("o", "-"))
            style = {"color": NETWORK_COLOR if named else GREY, "linewidth": 1.4 if named else 0.7}
            style |= {"marker": mark, "linestyle": dashes}
            label = patient if place == 0 and named else None
            axis.plot(range(1, len(values) + 1), values, markersize=4, label=label, **style)
        axis.set(title=f"{REGION_NAMES[name]} ({name})", xlabel="visit")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.set_ylim(bottom=0)
        axis.grid(axis="y")
    panels[0].set_ylabel("predicted volume (ml)")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=NAMED // 2)
    return figure
