"""Choose the size thresholds of postprocessing on segmentations of held-out subjects."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from glioseg.labels import EVERYWHERE, region
from glioseg.model_files import SMALLEST
from glioseg.predict.postprocess import components
from glioseg.volumes.boxes import cut

# The gain in mean Dice that is needed to replace the configured values. A smaller gain may be chance.
LEAST_GAIN = 0.001
TUNING_COLUMNS = (*SMALLEST, "subjects", *EVERYWHERE, "mean", "gain", "chosen")


class Case(NamedTuple):
    """Volumes (ml) of WT, TC and ET: truth (3,); predicted (n, 3), of n connected tumors; agreed (n, 3), in both."""

    truth: np.ndarray
    predicted: np.ndarray
    agreed: np.ndarray


def count(predicted: np.ndarray, truth: np.ndarray, voxel_ml: float) -> Case:
    """Return the `Case` of two arrays of class indices of the same shape. voxel_ml: volume of a voxel."""
    box, numbers = components(predicted)
    inner, true_inner = cut(predicted, box), cut(truth, box)
    most = int(numbers.max()) + 1
    sizes, agreed, whole = np.zeros((most, 3)), np.zeros((most, 3)), np.zeros(3)
    for place, name in enumerate(EVERYWHERE):
        inside = region(inner, name)
        sizes[:, place] = np.bincount(numbers[inside], minlength=most)
        agreed[:, place] = np.bincount(numbers[inside & region(true_inner, name)], minlength=most)
        whole[place] = np.count_nonzero(region(truth, name))
    return Case(whole * voxel_ml, sizes[1:] * voxel_ml, agreed[1:] * voxel_ml)


def dice_after(case: Case, enhancing_ml: float, component_ml: float) -> np.ndarray:
    """Return a subject's Dice (3,) of WT, TC and ET after `postprocess.drop_small` with these thresholds.

    A region absent from both truth and prediction scores 1, as in `evaluate`.
    """
    kept = case.predicted[:, 0] >= component_ml
    predicted, agreed = case.predicted[kept].sum(axis=0), case.agreed[kept].sum(axis=0)
    if predicted[2] < enhancing_ml:
        predicted[2] = agreed[2] = 0
    both = case.truth + predicted
    return np.where(both > 0, 2 * agreed / np.where(both > 0, both, 1), 1)


def tune(
    cases: Iterable[Case],
    enhancing_ml: Sequence[float],
    component_ml: Sequence[float],
    configured: tuple[float, float],
    patients: Sequence[str] | None = None,
) -> tuple[dict[str, float], list[dict]]:
    """Return the chosen values by name (`SMALLEST`), and a row of `TUNING_COLUMNS` for each pair tried.

    The configured pair is kept unless another pair's mean Dice is at least `LEAST_GAIN` higher. Among equally good
    pairs, the one that drops least is chosen. Without values to try, the configured ones are kept.
    patients: the patient of each case, whose visits count together as much as a patient with one visit; without it,
    each case is of another patient. Raises ValueError if there is no case.
    """
    cases = list(cases)
    if not cases:
        raise ValueError("postprocess: no other fold has a subject with a mask; set both values to [] or add folds")
    # Sort by component size first: it changes all regions, so a tie goes to the smallest.
    pairs = {configured, *itertools.product(enhancing_ml or configured[:1], component_ml or configured[1:])}
    visits: dict[object, list[Case]] = {}
    for patient, case in zip(patients or range(len(cases)), cases, strict=True):
        visits.setdefault(patient, []).append(case)
    dice = {pair: np.mean([_of_patient(some, pair) for some in visits.values()], axis=0) for pair in pairs}
    order = sorted(pairs, key=lambda pair: (pair[1], pair[0]))
    best = max(order, key=lambda pair: round(float(dice[pair].mean()), 9))
    if dice[best].mean() - dice[configured].mean() < LEAST_GAIN:
        best = configured
    rows = []
    for pair in order:
        numbers = dict(zip(EVERYWHERE, (f"{value:.4f}" for value in dice[pair]), strict=True))
        gain = dice[pair].mean() - dice[configured].mean()
        rows.append(
            dict(zip(SMALLEST, pair, strict=True))
            | {"subjects": len(cases), **numbers, "mean": f"{dice[pair].mean():.4f}", "gain": f"{gain:+.4f}"}
            | {"chosen": "yes" if pair == best else ""}
        )
    return dict(zip(SMALLEST, best, strict=True)), rows


def _of_patient(visits: list[Case], pair: tuple[float, float]) -> np.ndarray:
    return np.mean([dice_after(case, *pair) for case in visits], axis=0)
