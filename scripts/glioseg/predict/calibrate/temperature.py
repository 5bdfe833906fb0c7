"""Calibrate the probabilities of regions by one temperature, and choose it on maps of held-out subjects.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599) divides the logit of a probability by the temperature: above 1,
probabilities move towards 0.5, below 1 away from it. It is applied to each region by itself, which keeps WT, TC and ET
nested and 0.5 where it is.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from glioseg.labels import EVERYWHERE, region
from glioseg.predict.calibrate.patients import by_patient, standard_error

# A map has this many steps (`volumes.nifti.write_map`). It rounds lower probabilities than LEAST to 0. Higher ones than
# MOST, the middle of those that it rounds to 1, are taken as MOST. So a map and the probabilities that it was made of
# are calibrated alike.
STEPS = 255
LEAST, MOST = 0.5 / STEPS, 1 - 0.25 / STEPS


def calibrated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities of a region (float32, any shape) at a temperature, 1 of which changes nothing.

    Above 1, probabilities below `LEAST` stay as they are: nearly all voxels of a scan have one, and small
    probabilities over a whole scan are no doubt.
    """
    if temperature == 1:
        return probabilities
    changed = probabilities.copy()
    some = probabilities >= LEAST if temperature > 1 else probabilities > 0
    values = np.minimum(probabilities[some], np.float32(MOST))
    changed[some] = 1 / (1 + (1 / values - 1) ** np.float32(1 / temperature))
    return changed


def count_values(maps: Mapping[str, np.ndarray], truth: np.ndarray) -> np.ndarray:
    """Return how many voxels have each value of the maps of WT, TC and ET, outside and inside of the truth (2, 256).

    maps: region -> probability (X, Y, Z), as `read_volume` reads a map; truth: class indices of the same shape.
    """
    counts = np.zeros((2, STEPS + 1), np.int64)
    for name in EVERYWHERE:
        values, inside = np.rint(maps[name] * STEPS).astype(np.uint8), region(truth, name)
        for row, voxels in zip(counts, (values[~inside], values[inside]), strict=True):
            row += np.bincount(voxels.ravel(), minlength=STEPS + 1)
    return counts


def tune_temperature(
    cases: Iterable[np.ndarray],
    values: Sequence[float],
    configured: float,
    patients: Sequence[str] | None = None,
) -> tuple[float, list[dict]]:
    """Return the chosen temperature, and a row with the Brier score for each temperature tried.

    cases: `count_values` of each subject. The Brier score is the mean squared distance between probability and truth
    over the voxels whose value is not 0, and the mean over patients. A value replaces the configured one only if its
    gain is at least its own standard error over the patients. No values to try: the configured one.
    patients: the patient of each case; without it, each case is of another patient.
    """
    tried = sorted({configured, *values})
    each = by_patient(cases, patients)
    if not (values and each):
        return configured, []
    scores = np.array([[_brier(sum(some), value) for value in tried] for some in each])
    means, first = scores.mean(0), tried.index(configured)
    order = sorted(range(len(tried)), key=lambda place: abs(np.log(tried[place] / configured)))
    best = min(order, key=lambda place: round(float(means[place]), 9))
    gains = scores[:, first] - scores[:, best]
    chosen = tried[best] if gains.mean() >= standard_error(gains) else configured
    rows = [{"temperature": value, "brier": round(mean, 6)} for value, mean in zip(tried, means.tolist(), strict=True)]
    return chosen, rows


def _brier(counts: np.ndarray, temperature: float) -> float:
    """The Brier score of the voxels whose value is not 0; 0 without any."""
    outside, inside = counts[:, 1:]
    values = calibrated((np.arange(1, STEPS + 1) / STEPS).astype(np.float32), temperature).astype(np.float64)
    squared = (outside * values**2 + inside * (1 - values) ** 2).sum()
    return float(squared / max(counts[:, 1:].sum(), 1))
