"""Label values <-> tissue classes <-> regions, per data set dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from glioseg.choices import choose

# Loaded by the functions that work on voxels: every start of Snakemake, and each of its jobs, reads this module.
if TYPE_CHECKING:
    import numpy as np

# What the expert's label map is called among a subject's files.
MASK = "seg"

# Classes have one index each, the same in every study: masks hold it. A network's channels are those of its data sets.
CLASSES = ("background", "necrosis", "edema", "enhancing", "cavity", "cyst")

# A region is a sum of classes: whole tumor, tumor core, enhancing tumor (Menze et al. 2015,
# doi:10.1109/TMI.2014.2377694; the cyst in the core: Kazerooni et al. 2024, arXiv:2404.15009), and the resection
# cavity, which is no tumor (de Verdier et al. 2024, arXiv:2405.18368).
REGIONS = {
    "WT": ("necrosis", "edema", "enhancing", "cyst"),
    "TC": ("necrosis", "enhancing", "cyst"),
    "ET": ("enhancing",),
    "RC": ("cavity",),
}
# The regions that every data set has.
EVERYWHERE = ("WT", "TC", "ET")
# What a network's outputs may be.
TARGETS = ("classes", "regions")
REGION_NAMES = {"WT": "whole tumor", "TC": "tumor core", "ET": "enhancing tumor", "RC": "resection cavity"}

# Values on disk -> class; necrosis stands for all of the core that does not enhance. Where several values mean one
# class, the first is written back.
DIALECTS = {
    "brats2013": {0: "background", 1: "necrosis", 2: "edema", 3: "necrosis", 4: "enhancing"},  # 2013, 2015
    "brats2020": {0: "background", 1: "necrosis", 2: "edema", 4: "enhancing"},  # 2017-2021
    "brats2023": {0: "background", 1: "necrosis", 2: "edema", 3: "enhancing"},  # 2023: GLI, MET, MEN, PED, SSA
    "brats2024": {0: "background", 1: "necrosis", 2: "edema", 3: "enhancing", 4: "cavity"},  # 2024 GLI, 2025 MET
    "brats2024-ped": {0: "background", 1: "enhancing", 2: "necrosis", 3: "cyst", 4: "edema"},
    "msd": {0: "background", 1: "edema", 2: "necrosis", 3: "enhancing"},  # Decathlon, Task01_BrainTumour
}

# What is written for a class that a dialect has no value for.
SUBSTITUTES = {"cyst": "necrosis", "cavity": "background"}

# A label that a scaled or compressed header moved by less than this is still that label.
TOLERANCE = 1e-3
UNKNOWN = 255


def to_classes(mask: np.ndarray, dialect: str) -> np.ndarray:
    """Class indices (uint8, same shape) of a mask in a data set's label values.

    An empty array stays empty. Raises ValueError for an unknown dialect, or naming the values that it does not have.
    """
    import numpy as np

    values = _dialect(dialect)
    table = np.full(256, UNKNOWN, np.uint8)
    for value, name in values.items():
        table[value] = CLASSES.index(name)
    with np.errstate(invalid="ignore"):  # NaN and infinity become some number here, and are told apart below
        whole = (np.rint(mask) if mask.dtype.kind == "f" else mask).astype(np.uint8)
    classes = table[whole]
    same = whole == mask
    if not same.all():
        off = np.flatnonzero(~same)
        close = np.abs(mask.ravel()[off] - whole.ravel()[off].astype(np.float64)) <= TOLERANCE
        classes.ravel()[off[~close]] = UNKNOWN
    bad = classes == UNKNOWN
    if bad.any():
        found = ", ".join(f"{value:g}" for value in np.unique(mask[bad])[:5].tolist())
        known = ", ".join(f"{value}" for value in values)
        raise ValueError(f"the mask holds {found}, which {dialect} does not have (expected {known})")
    return classes


def known_classes(mask: np.ndarray, dialect: str) -> np.ndarray:
    """Class indices (uint8, same shape) of a mask that is taken; of one forced in, unknown values are background."""
    import numpy as np

    whole = np.rint(mask)
    return to_classes(np.where(np.isin(whole, list(DIALECTS[dialect])), whole, 0), dialect)


def to_values(classes: np.ndarray, dialect: str) -> np.ndarray:
    """The data set's label values (uint8, same shape) of class indices: the way back of `to_classes`.

    A class that the dialect lacks is written as the nearest that it has: cyst as necrosis, cavity as background.
    """
    import numpy as np

    table = np.zeros(len(CLASSES), np.uint8)
    value_of = {name: value for value, name in reversed(_dialect(dialect).items())}
    for index, name in enumerate(CLASSES):
        table[index] = value_of[name if name in value_of else SUBSTITUTES[name]]
    return table[classes]


def region(classes: np.ndarray, name: str) -> np.ndarray:
    """Boolean mask (same shape) of the region WT, TC, ET or RC in an array of class indices (uint8 or another int)."""
    import numpy as np

    return np.isin(CLASSES, REGIONS[name])[classes]


def classes_of(dialects: Iterable[str]) -> tuple[str, ...]:
    """What a network trained on data sets of these dialects tells apart: its channels, in the order of `CLASSES`.

    Background alone where there are no dialects. Raises ValueError for an unknown one.
    """
    known = {"background", *(name for dialect in dialects for name in _dialect(dialect).values())}
    return tuple(name for name in CLASSES if name in known)


def regions_of(dialects: Iterable[str]) -> list[str]:
    """The regions that data sets of these dialects are scored by: WT, TC, ET, and RC where any has a cavity."""
    return _regions(classes_of(dialects))


def targets_of(targets: str, classes: Sequence[str]) -> tuple[str, ...]:
    """What a network's outputs are, in their order: the classes themselves, or the regions that these classes make.

    targets: "classes" or "regions". Raises ValueError for another, and for regions where the classes hold a cyst, which
    they cannot tell from necrosis.
    """
    check_targets(targets)
    if targets == "classes":
        return tuple(classes)
    if "cyst" in classes:
        raise ValueError("targets: regions cannot tell a cyst from necrosis; train on classes")
    return tuple(_regions(classes))


def classes_of_regions(inside: Mapping, index_of: Callable[[str], int], where: Callable):
    """Index of the tissue class of each voxel, from the regions that it is inside of.

    WT, TC and ET lie one inside the other: WT is edema, TC in it necrosis, ET in that enhancing; RC outside of WT is a
    cavity. A region that is not among them bounds nothing; outside of all is background.
    inside: region -> whether a voxel is inside of it (bool arrays of NumPy or TensorFlow); index_of: class -> its
    index; where: NumPy's or Keras' function of that name.
    """
    found = index_of("background")
    if "RC" in inside:
        found = where(inside["RC"], index_of("cavity"), found)
    within = True
    for name, tissue in (("WT", "edema"), ("TC", "necrosis"), ("ET", "enhancing")):
        if name in inside:
            within = inside[name] & within
            found = where(within, index_of(tissue), found)
    return found


def check_targets(targets: str) -> None:
    """Raises ValueError for targets that aren't among `TARGETS`."""
    choose("targets", targets, TARGETS)


def _regions(classes: Sequence[str]) -> list[str]:
    """The regions that classes make: RC only where there is a cavity."""
    return [name for name in REGIONS if name != "RC" or "cavity" in classes]


def _dialect(name: str) -> dict[int, str]:
    return choose("labels", name, DIALECTS)
