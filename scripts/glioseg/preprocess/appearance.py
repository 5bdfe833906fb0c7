"""The appearance of modalities inside the brain, from which flipped and swapped images are detected.

Intensities are compared by rank, on a thinned grid. Arrays are in LPS order: the first axis runs from the patient's
right to the left.
"""

import numpy as np

from glioseg.labels import CLASSES

# About this many voxels are kept of a head: every fifth along each axis of the BraTS grid.
THINNED = 70_000
# Fewer voxels of a tissue are too few for a judgment, and more add no information.
LEAST, MOST = 100, 2000
# The rank of an intensity within the brain is measured in this many levels of equal voxel counts.
LEVELS = 16

# Mean rank of each tissue in each modality, from 0 (darkest of the brain) to 1 (brightest), and "middle": the position
# of the median between the dark and the bright tail. Fluid is dark on T1 and FLAIR and bright on T2; edema is bright on
# FLAIR; the rim is bright on T1 with contrast agent (Menze et al. 2015, doi:10.1109/TMI.2014.2377694, figure 3).
LOOKS = {
    "flair": {"middle": 0.52, "edema": 0.92, "enhancing": 0.90, "necrosis": 0.70},
    "t1": {"middle": 0.55, "edema": 0.45, "enhancing": 0.35, "necrosis": 0.15},
    "t1ce": {"middle": 0.55, "edema": 0.45, "enhancing": 0.93, "necrosis": 0.15},
    "t2": {"middle": 0.33, "edema": 0.72, "enhancing": 0.70, "necrosis": 0.90},
}
# Rank correlation of two modalities over the brain. T1 with and without contrast agent differ only in the tumor.
TOGETHER = {
    frozenset(("t1", "t1ce")): 0.65,
    frozenset(("t1", "t2")): -0.45,
    frozenset(("t1ce", "t2")): -0.45,
    frozenset(("flair", "t1")): 0.10,
    frozenset(("flair", "t1ce")): 0.10,
    frozenset(("flair", "t2")): 0.25,
}


def thin(volume: np.ndarray, plane: int | None = None) -> np.ndarray:
    """Every few voxels along each axis. With a plane, mirrored: x holds the voxel at plane - x, or at the edge."""
    step = thinning(volume.shape)
    if plane is None:
        return volume[::step, ::step, ::step]
    across = np.clip(plane - np.arange(0, volume.shape[0], step), 0, volume.shape[0] - 1)
    return volume[:, ::step, ::step][across]


def thinning(shape: tuple[int, ...]) -> int:
    """The step along each axis that leaves about `THINNED` voxels of a volume with this shape; at least 1."""
    return max(1, round((np.prod(shape) / THINNED) ** (1 / 3)))


def edges(values: np.ndarray) -> np.ndarray:
    """The bounds that divide the values of a brain (1-D, sorted, one or more) into `LEVELS` levels of equal counts."""
    return values[np.arange(1, LEVELS) * values.size // LEVELS]


def levels(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """The level of each value, from 0 to `LEVELS` - 1 (int, same shape); bounds: `edges` of the brain."""
    return np.searchsorted(bounds, values)


def rank(values: np.ndarray, bounds: np.ndarray) -> float:
    """Mean rank of values within the brain, 0 to 1; bounds: `edges` of the brain."""
    return float((levels(values, bounds).mean() + 0.5) / LEVELS)


def middle(values: np.ndarray) -> float:
    """Position of the median between the 5th and the 95th percentile of values (1-D, sorted, one or more), 0 to 1.

    0.5 if the two percentiles are equal.
    """
    low, median, high = (float(values[int(share * values.size)]) for share in (0.05, 0.5, 0.95))
    return (median - low) / (high - low) if high > low else 0.5


def shared_nats(one: np.ndarray, other: np.ndarray) -> float:
    """Mutual information (nats) of two arrays of levels, compared voxel by voxel."""
    joint = np.bincount(one * LEVELS + other, minlength=LEVELS**2).reshape(LEVELS, LEVELS) / one.size
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / independent[seen])).sum())


def standard(values: np.ndarray) -> np.ndarray:
    """Values (float32) with mean 0 and standard deviation 1; all 0 if they are constant.

    The mean product of two such arrays is their correlation.
    """
    centered = (values - values.mean()).astype(np.float32)
    return centered / (centered.std() or 1)


def tissues(classes: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Indices (x, y, z) of up to `MOST` voxels of each tissue in `LOOKS`, on every second voxel along each axis.

    A tissue with fewer than `LEAST` such voxels is left out.
    """
    # Volumes are in Fortran order, so they are read contiguously when transposed.
    thinned = np.ascontiguousarray(classes[::2, ::2, ::2].T)
    labelled = np.flatnonzero(thinned)
    found = thinned.ravel()[labelled]
    places = {}
    for tissue in ("edema", "enhancing", "necrosis"):
        at = labelled[found == CLASSES.index(tissue)]
        if at.size >= LEAST:
            z, y, x = np.unravel_index(at[:: -(-at.size // MOST)], thinned.shape)
            places[tissue] = (2 * x, 2 * y, 2 * z)
    return places


def contrasts(
    volumes: dict[str, np.ndarray],
    bounds: dict[str, np.ndarray],
    brain: np.ndarray,
    classes: np.ndarray,
    plane: int,
) -> dict[str, float]:
    """Evidence, for each modality in `LOOKS`, that the tumor is where the mask has it and not mirrored at the plane.

    bounds: `edges` of each volume. Positive: where the mask has it; negative: mirrored. 0 if nothing can be compared,
    because the mirrored voxels are labelled too or lie outside the brain.
    """
    evidence = {name: 0.0 for name in volumes if name in LOOKS}
    for tissue, (x, y, z) in tissues(classes).items():
        across = np.clip(plane - x, 0, brain.shape[0] - 1)
        telling = brain[across, y, z] & (classes[across, y, z] == 0)
        if telling.sum() < LEAST:
            continue
        here, there = (x[telling], y[telling], z[telling]), (across[telling], y[telling], z[telling])
        for name in evidence:
            contrast = rank(volumes[name][here], bounds[name]) - rank(volumes[name][there], bounds[name])
            evidence[name] += contrast * (LOOKS[name][tissue] - 0.5)
    return evidence
