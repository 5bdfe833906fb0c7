"""How a modality looks inside the brain, by rank, on a thinned grid: what flips and swaps are told from.

Arrays are in LPS order: the first axis runs from the patient's right to the left.
"""

import numpy as np

from glioseg.labels import CLASSES

# So many voxels describe a head: every fifth along each axis of BraTS's grid.
THINNED = 70_000
# Fewer voxels of a tissue tell nothing, more tell nothing new.
LEAST, MOST = 100, 2000
# Steps of equal voxel counts in which an intensity's rank within the brain is told.
LEVELS = 16

# The mean rank (0 darkest, 1 brightest of the brain) of each tissue on each modality, and "middle": where the median
# lies between the dark tail and the bright one. Fluid is dark on T1 and FLAIR and bright on T2, edema is bright on
# FLAIR, the rim on T1 with contrast agent (Menze et al. 2015, doi:10.1109/TMI.2014.2377694, figure 3).
LOOKS = {
    "flair": {"middle": 0.52, "edema": 0.92, "enhancing": 0.90, "necrosis": 0.70},
    "t1": {"middle": 0.55, "edema": 0.45, "enhancing": 0.35, "necrosis": 0.15},
    "t1ce": {"middle": 0.55, "edema": 0.45, "enhancing": 0.93, "necrosis": 0.15},
    "t2": {"middle": 0.33, "edema": 0.72, "enhancing": 0.70, "necrosis": 0.90},
}
# Rank correlation of two modalities over the brain. T1 with and without contrast agent differ in the tumor alone.
TOGETHER = {
    frozenset(("t1", "t1ce")): 0.65,
    frozenset(("t1", "t2")): -0.45,
    frozenset(("t1ce", "t2")): -0.45,
    frozenset(("flair", "t1")): 0.10,
    frozenset(("flair", "t1ce")): 0.10,
    frozenset(("flair", "t2")): 0.25,
}


def thin(volume: np.ndarray, plane: int | None = None) -> np.ndarray:
    """Every few voxels along each axis; given a plane, what lies at plane - x, or at the nearest edge, instead of x."""
    step = thinning(volume.shape)
    if plane is None:
        return volume[::step, ::step, ::step]
    across = np.clip(plane - np.arange(0, volume.shape[0], step), 0, volume.shape[0] - 1)
    return volume[:, ::step, ::step][across]


def thinning(shape: tuple[int, ...]) -> int:
    """The step along each axis at which a volume of a shape has about `THINNED` voxels left; at least 1."""
    return max(1, round((np.prod(shape) / THINNED) ** (1 / 3)))


def edges(values: np.ndarray) -> np.ndarray:
    """The values that divide those of a brain (1-D, sorted, one or more) into `LEVELS` parts of equal counts."""
    return values[np.arange(1, LEVELS) * values.size // LEVELS]


def levels(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Which part of the brain that the bounds divide each value belongs to, from 0 (int, same shape)."""
    return np.searchsorted(bounds, values)


def rank(values: np.ndarray, bounds: np.ndarray) -> float:
    """Mean rank, 0 to 1, of values within the brain that the bounds divide."""
    return float((levels(values, bounds).mean() + 0.5) / LEVELS)


def middle(values: np.ndarray) -> float:
    """Where the median lies between the dark and the bright twentieth of values (1-D, sorted, one or more), 0 to 1.

    0.5 where they are the same.
    """
    low, median, high = (float(values[int(share * values.size)]) for share in (0.05, 0.5, 0.95))
    return (median - low) / (high - low) if high > low else 0.5


def shared_nats(one: np.ndarray, other: np.ndarray) -> float:
    """Mutual information (nats) of two arrays of levels, voxel by voxel."""
    joint = np.bincount(one * LEVELS + other, minlength=LEVELS**2).reshape(LEVELS, LEVELS) / one.size
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / apart[seen])).sum())


def standard(values: np.ndarray) -> np.ndarray:
    """Values (float32) of mean 0 and deviation 1, whose mean product with others is the correlation; 0 if constant."""
    centered = (values - values.mean()).astype(np.float32)
    return centered / (centered.std() or 1)


def tissues(classes: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Indices of `LEAST` to `MOST` voxels, every second along each axis, of each tissue in `LOOKS` that has as many."""
    # Volumes lie in memory with the first axis running fastest: transposed, they are read in one go.
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
    """For each modality of `LOOKS`, how much rather the tissues are where the mask has them than across the plane.

    bounds: `edges` of each volume. 0 where nothing tells: a counterpart that is labelled too, or no brain.
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
