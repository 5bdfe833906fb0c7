"""Conversion between label values, tissue classes and regions, for each label dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from glioseg.choices import choose

# Only the functions that use NumPy load it: Snakemake and each of its jobs import this module when they start.
if TYPE_CHECKING:
    import numpy as np

# The name of the mask, the expert's label map, among a subject's files.
MASK = "seg"

# mask.npy holds indices of these classes, the same in every study. A network has only the classes of its data sets.
CLASSES = ("background", "necrosis", "edema", "enhancing", "cavity", "cyst")

# A region is a union of classes: whole tumor, tumor core, enhancing tumor (Menze et al. 2015,
# doi:10.1109/TMI.2014.2377694; the cyst in the core: Kazerooni et al. 2024, arXiv:2404.15009), and the resection
# cavity, which is not tumor (de Verdier et al. 2024, arXiv:2405.18368).
REGIONS = {
    "WT": ("necrosis", "edema", "enhancing", "cyst"),
    "TC": ("necrosis", "enhancing", "cyst"),
    "ET": ("enhancing",),
    "RC": ("cavity",),
}
# The regions that every data set has.
EVERYWHERE = ("WT", "TC", "ET")
# What a network can predict.
TARGETS = ("classes", "regions")
REGION_NAMES = {"WT": "whole tumor", "TC": "tumor core", "ET": "enhancing tumor", "RC": "resection cavity"}

# Values on disk -> class. Necrosis includes all of the core that does not enhance. If several values mean one class,
# the first of them is written.
DIALECTS = {
    "brats2013": {0: "background", 1: "necrosis", 2: "edema", 3: "necrosis", 4: "enhancing"},  # 2013, 2015
    "brats2020": {0: "background", 1: "necrosis", 2: "edema", 4: "enhancing"},  # 2017-2021
    "brats2023": {0: "background", 1: "necrosis", 2: "edema", 3: "enhancing"},  # 2023: GLI, MET, MEN, PED, SSA
    "brats2024": {0: "background", 1: "necrosis", 2: "edema", 3: "enhancing", 4: "cavity"},  # 2024 GLI, 2025 MET
    "brats2024-ped": {0: "background", 1: "enhancing", 2: "necrosis", 3: "cyst", 4: "edema"},
    "msd": {0: "background", 1: "edema", 2: "necrosis", 3: "enhancing"},  # Decathlon, Task01_BrainTumour
}

# The dialect of phantoms, by `synthesize: kinds`.
OF_PHANTOMS = {"usual": "brats2020", "many": "brats2020", "treated": "brats2024"}

# If a dialect has no value for a class, this class is written instead.
SUBSTITUTES = {"cyst": "necrosis", "cavity": "background"}

# Scaling in a file's header can shift a label; a value within this distance of a label is read as that label.
TOLERANCE = 1e-3
UNKNOWN = 255


def to_classes(mask: np.ndarray, dialect: str) -> np.ndarray:
    """Class indices (uint8, same shape) of a mask in a data set's label values.

    An empty array stays empty. Raises ValueError if the dialect is unknown, or if the mask has values that are not in
    the dialect; the message names these values.
    """
    import numpy as np

    values = _dialect(dialect)
    table = np.full(256, UNKNOWN, np.uint8)
    for value, name in values.items():
        table[value] = CLASSES.index(name)
    with np.errstate(invalid="ignore"):  # NaN and infinity become arbitrary integers; the comparison below finds them
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
    """Class indices (uint8, same shape) of an included subject's mask; unknown values become background."""
    import numpy as np

    whole = np.rint(mask)
    return to_classes(np.where(np.isin(whole, list(DIALECTS[dialect])), whole, 0), dialect)


def to_values(classes: np.ndarray, dialect: str) -> np.ndarray:
    """Label values of a dialect (uint8, same shape) from class indices; the inverse of `to_classes`.

    A class that is not in the dialect is written as a similar one: cyst as necrosis, cavity as background.
    """
    import numpy as np

    table = np.zeros(len(CLASSES), np.uint8)
    value_of = {name: value for value, name in reversed(_dialect(dialect).items())}
    for index, name in enumerate(CLASSES):
        table[index] = value_of[name if name in value_of else SUBSTITUTES[name]]
    return table[classes]


def region(classes: np.ndarray, name: str) -> np.ndarray:
    """Boolean mask (same shape) of the region WT, TC, ET or RC in an array of class indices (any integer type)."""
    import numpy as np

    return np.isin(CLASSES, REGIONS[name])[classes]


def volumes_ml(classes: np.ndarray, dialect: str, voxel_ml: float) -> dict[str, float]:
    """Volume of each region of a dialect in an array of class indices, in ml. voxel_ml: volume of one voxel."""
    import numpy as np

    return {name: int(np.count_nonzero(region(classes, name))) * voxel_ml for name in regions_of([dialect])}


def classes_of(dialects: Iterable[str]) -> tuple[str, ...]:
    """Classes in data sets of these dialects, in the order of `CLASSES`: the channels of a network trained on them.

    Without dialects, only background. Raises ValueError for an unknown dialect.
    """
    known = {"background", *(name for dialect in dialects for name in _dialect(dialect).values())}
    return tuple(name for name in CLASSES if name in known)


def regions_of(dialects: Iterable[str]) -> list[str]:
    """Regions that are scored in data sets of these dialects: WT, TC, ET, and RC if any dialect has a cavity."""
    return _regions(classes_of(dialects))


def targets_of(targets: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Names of a network's outputs, in order: the classes themselves, or the regions that consist of them.

    targets: "classes" or "regions". Raises ValueError for any other value, and for regions if the classes include a
    cyst, because regions do not distinguish it from necrosis.
    """
    check_targets(targets)
    if targets == "classes":
        return tuple(classes)
    if "cyst" in classes:
        raise ValueError("targets: regions cannot distinguish a cyst from necrosis; set targets: classes")
    return tuple(_regions(classes))


def classes_of_regions(inside: Mapping, index_of: Callable[[str], int], where: Callable):
    """Index of the tissue class of each voxel, from the regions that contain it.

    WT contains TC, and TC contains ET: WT outside TC is edema, TC outside ET is necrosis, and ET is enhancing. RC
    outside WT is cavity. A voxel in no region is background. A region missing from `inside` does not limit others.
    inside: region -> whether each voxel is in it (bool arrays of NumPy or TensorFlow); index_of: class -> its index;
    where: the function of this name of NumPy or Keras.
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
    """Raise ValueError if targets is not one of `TARGETS`."""
    choose("targets", targets, TARGETS)


def _regions(classes: Sequence[str]) -> list[str]:
    """Regions that consist of these classes: RC only if there is a cavity."""
    return [name for name in REGIONS if name != "RC" or "cavity" in classes]


def _dialect(name: str) -> dict[int, str]:
    return choose("labels", name, DIALECTS)
