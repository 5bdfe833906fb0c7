"""From the common space back to the grid of every series."""

import numpy as np

from glioseg.labels import MASK
from glioseg.register.grids import Grid
from glioseg.register.label_maps import label_map_on
from glioseg.scan_facts import Forms


def label_maps_of_series(
    labels: np.ndarray, affine: np.ndarray, facts: dict
) -> dict[str, tuple[np.ndarray, np.ndarray, Forms]]:
    """A label map (3-D) in the common space on the grid of each series: its labels, affine (4x4, mm) and forms.

    facts: the content of register.json. The mask of a subject is no series.
    """
    found = {}
    for name, series in facts["series"].items():
        if name != MASK:
            grid = Grid(tuple(series["shape"]), np.array(series["affine"]))
            there = label_map_on(labels, affine, grid, np.linalg.inv(np.array(series["matrix"])))
            found[name] = (there, grid.affine, series["forms"])
    return found
