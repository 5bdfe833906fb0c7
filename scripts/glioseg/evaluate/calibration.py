"""Whether probabilities mean what they say: of the voxels that are tumor with 70 %, 70 % should be."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

# Bins of probability. The lowest holds what a network takes for healthy: nearly all of a scan.
EDGES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
CALIBRATION_COLUMNS = ("subject", "region", "low", "high", "voxels", "probability", "true")

Bins = Mapping[str, Sequence[float]]


def calibration(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, list]:
    """For each bin of EDGES its voxels, the sum of their probabilities, and how many of them are true.

    probabilities: floating point from 0 to 1; truth: booleans of the same shape. A bin holds its lower edge, the last
    one both. Raises ValueError where shapes differ or a value is no probability.
    """
    if probabilities.shape != truth.shape:
        raise ValueError(f"expected probabilities of the shape {truth.shape}, found {probabilities.shape}")
    values = probabilities.ravel().astype(np.float64)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"expected probabilities from 0 to 1, found {values.min():.3g} to {values.max():.3g}")
    bins = np.searchsorted(EDGES[1:-1], values, side="right")
    count = len(EDGES) - 1
    return {
        "voxels": np.bincount(bins, minlength=count).tolist(),
        "probability": np.bincount(bins, values, count).tolist(),
        "true": np.bincount(bins[truth.ravel()], minlength=count).tolist(),
    }


def pooled(subjects: Iterable[Bins]) -> dict[str, list]:
    """The bins of several subjects as those of one: every voxel counts the same. Nobody: zeros."""
    subjects = list(subjects)
    names = ("voxels", "probability", "true")
    none = [0] * (len(EDGES) - 1)
    return {name: np.sum([none, *(bins[name] for bins in subjects)], axis=0).tolist() for name in names}


def expected_error(bins: Bins) -> float:
    """Expected calibration error: the mean distance of a voxel's probability from the share of its bin that is true.

    Over all bins but the lowest, whose voxels would hide all others (Naeini et al. 2015,
    doi:10.1609/aaai.v29i1.9602). No voxel there: NaN.
    """
    voxels, probability, true = (np.array(bins[name][1:], float) for name in ("voxels", "probability", "true"))
    return float(np.abs(probability - true).sum() / voxels.sum()) if voxels.any() else float("nan")


def missed(bins: Bins) -> float:
    """The share of the truth in the lowest bin: what the network took for healthy. No truth: 0."""
    true = np.array(bins["true"], float)
    return float(true[0] / true.sum()) if true.any() else 0.0


def calibration_rows(evaluations: Iterable[Mapping]) -> list[dict]:
    """A row with `CALIBRATION_COLUMNS` per subject, region and bin, of what `evaluate` wrote."""
    return [
        {"subject": scores["subject"], "region": region, "low": EDGES[place], "high": EDGES[place + 1]}
        | {name: bins[name][place] for name in ("voxels", "probability", "true")}
        for scores in evaluations
        for region, bins in scores["calibration"].items()
        for place in range(len(EDGES) - 1)
    ]


def bins_of(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, dict[str, list]]]:
    """Region -> subject -> bins, of the rows of calibration.tsv, in their order."""
    found: dict[str, dict[str, dict[str, list]]] = {}
    for row in rows:
        bins = found.setdefault(row["region"], {}).setdefault(
            row["subject"], {"voxels": [], "probability": [], "true": []}
        )
        for name, values in bins.items():
            values.append(float(row[name]))
    return found
