"""Calibration of probabilities: of the voxels that were assigned 70 %, 70 % should be tumor."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

# Edges of the probability bins. The lowest bin holds the voxels predicted as healthy: nearly all of a scan.
EDGES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
CALIBRATION_COLUMNS = ("subject", "region", "low", "high", "voxels", "probability", "true")

Bins = Mapping[str, Sequence[float]]


def calibration(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, list]:
    """Return, for each bin of EDGES, its number of voxels, the sum of their probabilities, and how many are true.

    probabilities: floating point from 0 to 1; truth: booleans of the same shape. A bin includes its lower edge; the
    last bin includes both edges. Raises ValueError if the shapes differ or a value is not a probability.
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
    """Return the sums of several subjects' bins, so that every voxel counts the same. No subjects: zeros."""
    subjects = list(subjects)
    names = ("voxels", "probability", "true")
    none = [0] * (len(EDGES) - 1)
    return {name: np.sum([none, *(bins[name] for bins in subjects)], axis=0).tolist() for name in names}


def expected_error(bins: Bins) -> float:
    """Return the expected calibration error (Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602).

    This is the distance between the mean probability of a bin and its true share, averaged over voxels. The lowest bin
    is excluded, because its voxels would outweigh all others. No voxels in the other bins: NaN.
    """
    voxels, probability, true = (np.array(bins[name][1:], float) for name in ("voxels", "probability", "true"))
    return float(np.abs(probability - true).sum() / voxels.sum()) if voxels.any() else float("nan")


def missed(bins: Bins) -> float:
    """Return the share of the true voxels in the lowest bin, which the network predicted as healthy. No truth: 0."""
    true = np.array(bins["true"], float)
    return float(true[0] / true.sum()) if true.any() else 0.0


def calibration_rows(evaluations: Iterable[Mapping]) -> list[dict]:
    """Return a row of `CALIBRATION_COLUMNS` per subject, region and bin, from the output of `evaluate`."""
    return [
        {"subject": scores["subject"], "region": region, "low": EDGES[place], "high": EDGES[place + 1]}
        | {name: bins[name][place] for name in ("voxels", "probability", "true")}
        for scores in evaluations
        for region, bins in scores["calibration"].items()
        for place in range(len(EDGES) - 1)
    ]


def bins_of(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, dict[str, list]]]:
    """Return region -> subject -> bins from the rows of calibration.tsv, in their order."""
    found: dict[str, dict[str, dict[str, list]]] = {}
    for row in rows:
        bins = found.setdefault(row["region"], {}).setdefault(
            row["subject"], {"voxels": [], "probability": [], "true": []}
        )
        for name, values in bins.items():
            values.append(float(row[name]))
    return found
