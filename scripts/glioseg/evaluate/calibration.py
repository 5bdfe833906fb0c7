"""Calibration of probabilities: of the voxels that were assigned 70 %, 70 % should be tumor."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

# Edges of the probability bins. The lowest bin holds the voxels predicted as healthy: nearly all of a scan.
EDGES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
CALIBRATION_COLUMNS = ("subject", "region", "stage", "low", "high", "voxels", "probability", "squared", "true")
# Of the probabilities that a study writes; and, if it chose a temperature for them, of those before.
WRITTEN, BEFORE = "written", "before"
SUMS = ("voxels", "probability", "squared", "true")

Bins = Mapping[str, Sequence[float]]


def calibration(probabilities: np.ndarray, truth: np.ndarray) -> dict[str, list]:
    """Return, for each bin of EDGES, its voxels, the sums of their probabilities and squared errors, and the true ones.

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
        "squared": np.bincount(bins, (values - truth.ravel()) ** 2, count).tolist(),
        "true": np.bincount(bins[truth.ravel()], minlength=count).tolist(),
    }


def pooled(subjects: Iterable[Bins]) -> dict[str, list]:
    """Return the sums of several subjects' bins, so that every voxel counts the same. No subjects: zeros."""
    subjects = list(subjects)
    none = [0] * (len(EDGES) - 1)
    return {name: np.sum([none, *(bins[name] for bins in subjects)], axis=0).tolist() for name in SUMS}


def expected_error(bins: Bins) -> float:
    """Return the expected calibration error (Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602).

    This is the distance between the mean probability of a bin and its true share, averaged over voxels. The lowest bin
    is excluded, because its voxels would outweigh all others. No voxels in the other bins: NaN.
    """
    voxels, probability, true = (np.array(bins[name][1:], float) for name in ("voxels", "probability", "true"))
    return float(np.abs(probability - true).sum() / voxels.sum()) if voxels.any() else float("nan")


def brier(bins: Bins) -> float:
    """Return the Brier score (1950), the mean squared distance of probability and truth over all voxels.

    Nearly all voxels of a scan are certain, so the score is small; only scores of the same scans can be compared. No
    voxels: NaN.
    """
    return sum(bins["squared"]) / sum(bins["voxels"]) if sum(bins["voxels"]) else float("nan")


def missed(bins: Bins) -> float:
    """Return the share of the true voxels in the lowest bin, which the network predicted as healthy. No truth: 0."""
    true = np.array(bins["true"], float)
    return float(true[0] / true.sum()) if true.any() else 0.0


def calibration_rows(evaluations: Iterable[Mapping]) -> list[dict]:
    """Return a row of `CALIBRATION_COLUMNS` per subject, region and bin, from the output of `evaluate`."""
    return [
        {"subject": scores["subject"], "region": region, "stage": stage}
        | {"low": EDGES[place], "high": EDGES[place + 1]}
        | {name: bins[name][place] for name in SUMS}
        for scores in evaluations
        for stage, key in ((WRITTEN, "calibration"), (BEFORE, "uncalibrated"))
        for region, bins in scores[key].items()
        for place in range(len(EDGES) - 1)
    ]


def bins_of(rows: Iterable[Mapping[str, str]], stage: str) -> dict[str, dict[str, dict[str, list]]]:
    """Return region -> subject -> bins from the rows of calibration.tsv at a stage, in their order."""
    found: dict[str, dict[str, dict[str, list]]] = {}
    for row in rows:
        if row["stage"] != stage:
            continue
        bins = found.setdefault(row["region"], {}).setdefault(row["subject"], {name: [] for name in SUMS})
        for name, values in bins.items():
            values.append(float(row[name]))
    return found
