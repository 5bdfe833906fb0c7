"""Label values <-> tissue classes <-> regions, per data set dialect."""

import numpy as np

# Classes inside glioseg are consecutive; their order is the channel order of the network's output.
CLASSES = ("background", "necrosis", "edema", "enhancing")

# A region is a sum of classes: whole tumor, tumor core, enhancing tumor (Menze et al. 2015,
# doi:10.1109/TMI.2014.2377694).
REGIONS = {
    "WT": ("necrosis", "edema", "enhancing"),
    "TC": ("necrosis", "enhancing"),
    "ET": ("enhancing",),
}
REGION_NAMES = {"WT": "whole tumor", "TC": "tumor core", "ET": "enhancing tumor"}

# Values on disk -> class. Where several values mean one class, the first is written back.
DIALECTS = {
    "brats2020": {0: "background", 1: "necrosis", 2: "edema", 4: "enhancing"},
    "brats2013": {0: "background", 1: "necrosis", 2: "edema", 3: "necrosis", 4: "enhancing"},
}


def to_classes(mask: np.ndarray, dialect: str) -> np.ndarray:
    """Class indices (uint8, same shape) of a mask in a data set's label values.

    Raises ValueError for an unknown dialect, or naming the values that the dialect does not have.
    """
    values = _dialect(dialect)
    unknown = [value for value in np.unique(mask).tolist() if value not in values]
    if unknown:
        found = ", ".join(f"{value:g}" for value in unknown[:5])
        known = ", ".join(f"{value}" for value in values)
        raise ValueError(f"the mask holds {found}, which {dialect} does not have (expected {known})")
    classes = np.zeros(mask.shape, np.uint8)
    for value, name in values.items():
        if name != "background":
            classes[mask == value] = CLASSES.index(name)
    return classes


def to_values(classes: np.ndarray, dialect: str) -> np.ndarray:
    """The data set's label values (uint8, same shape) of class indices: the way back of `to_classes`."""
    table = np.zeros(len(CLASSES), np.uint8)
    for value, name in reversed(_dialect(dialect).items()):
        table[CLASSES.index(name)] = value
    return table[classes]


def region(classes: np.ndarray, name: str) -> np.ndarray:
    """Boolean mask (same shape) of the region WT, TC or ET in an array of class indices."""
    return np.isin(classes, [CLASSES.index(tissue) for tissue in REGIONS[name]])


def _dialect(name: str) -> dict[int, str]:
    if name not in DIALECTS:
        raise ValueError(f"labels: {name!r} is not known; known are {', '.join(DIALECTS)}")
    return DIALECTS[name]
