"""Choose the thresholds of postprocessing on segmentations and maps of held-out subjects."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from glioseg.labels import EVERYWHERE, region
from glioseg.model_files import CUTS, SMALLEST
from glioseg.predict.calibrate.patients import by_patient, standard_error
from glioseg.predict.postprocess import components, too_little
from glioseg.volumes.boxes import cut

# The gain in mean Dice that is needed to replace the configured values. A smaller gain may be chance.
LEAST_GAIN = 0.001
TUNING_COLUMNS = (*SMALLEST, "subjects", *EVERYWHERE, "mean", "gain", "chosen")


class Cuts(NamedTuple):
    """Volumes (ml) at every triple of thresholds of WT, TC and ET (n, n, n, 3), and of the truth (3,)."""

    truth: np.ndarray
    predicted: np.ndarray
    agreed: np.ndarray


def on_grid(threshold: float) -> float:
    """The threshold nearest to this one between two values of a map, which has 256 (`volumes.nifti.write_map`).

    There, a map and the probabilities that it was made of are cut alike.
    """
    return (round(255 * threshold - 0.5) + 0.5) / 255


def cut_all(maps: Mapping[str, np.ndarray], truth: np.ndarray, voxel_ml: float, values: Sequence[float]) -> Cuts:
    """Return the `Cuts` of a subject at these thresholds, in increasing order.

    maps: region -> probability (X, Y, Z); truth: class indices. A region is predicted inside the region around it only.
    """
    steps = len(values) + 1
    # Voxels below all thresholds of WT are in no region.
    candidates = maps["WT"] > values[0]
    place, true = np.zeros(np.count_nonzero(candidates), np.int64), truth[candidates]
    for name in EVERYWHERE:
        # The number of thresholds that a voxel exceeds.
        place = steps * place + np.searchsorted(values, maps[name][candidates], side="left")
    within = [np.ones(place.shape, bool), *(region(true, name) for name in EVERYWHERE)]
    sums = [np.bincount(place[part], minlength=steps**3).reshape((steps,) * 3) for part in within]
    for axis in range(3):
        # From voxels that exceed exactly so many thresholds to those that exceed at least so many.
        sums = [np.flip(np.cumsum(np.flip(part, axis), axis), axis) for part in sums]
    # Of regions further inside, every voxel counts; of those around, those above their thresholds.
    least = [np.s_[1:, :1, :1], np.s_[1:, 1:, :1], np.s_[1:, 1:, 1:]]
    shape = (len(values),) * 3
    predicted = [np.broadcast_to(sums[0][part], shape) for part in least]
    agreed = [np.broadcast_to(sums[1 + number][part], shape) for number, part in enumerate(least)]
    whole = [np.count_nonzero(region(truth, name)) * voxel_ml for name in EVERYWHERE]
    return Cuts(np.array(whole), np.stack(predicted, -1) * voxel_ml, np.stack(agreed, -1) * voxel_ml)


def tune_regions(
    cases: Iterable[Cuts],
    values: Sequence[float],
    configured: Sequence[float],
    enhancing_ml: float,
    patients: Sequence[str] | None = None,
) -> tuple[dict[str, float], list[dict]]:
    """Return the chosen thresholds by name (`CUTS`), and a row for each value tried.

    values: those of `cut_all`, the configured ones among them. WT is chosen first, then TC, then ET, with the others as
    chosen or configured. A value replaces the configured one only if its gain is at least `LEAST_GAIN` and its own
    standard error over the patients; of equally good ones the nearest to it is chosen.
    enhancing_ml: smaller enhancing tumor is dropped, as it will be afterwards.
    """
    dice = (_dice_of_cuts(case, enhancing_ml) for case in cases)
    each = np.stack([np.mean(some, axis=0) for some in by_patient(dice, patients)])
    places, rows = [values.index(value) for value in configured], []
    for axis, name in enumerate(CUTS):
        lines = each[(slice(None), *places[:axis], slice(None), *places[axis + 1 :])]
        line, first = lines.mean(0), places[axis]
        mean = line.mean(-1)
        order = sorted(range(len(values)), key=lambda place: abs(values[place] - values[first]))
        best = max(order, key=lambda place: round(float(mean[place]), 9))
        gains = (lines[:, best] - lines[:, first]).mean(-1)
        places[axis] = best if gains.mean() >= max(LEAST_GAIN, standard_error(gains)) else first
        for value, scores in zip(values, np.round(line, 4).tolist(), strict=True):
            rows.append({"threshold": name, "value": round(value, 4), **dict(zip(EVERYWHERE, scores, strict=True))})
    return {name: values[place] for name, place in zip(CUTS, places, strict=True)}, rows


def _dice_of_cuts(case: Cuts, enhancing_ml: float) -> np.ndarray:
    """Dice (n, n, n, 3) of a subject at every triple of thresholds."""
    little = too_little(case.predicted[..., 2:], case.predicted[..., 1:2], enhancing_ml)
    dropped = little & (np.arange(3) == EVERYWHERE.index("ET"))
    predicted, agreed = (np.where(dropped, 0, part) for part in (case.predicted, case.agreed))
    both = case.truth + predicted
    return np.where(both > 0, 2 * agreed / np.where(both > 0, both, 1), 1)


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
    if too_little(predicted[2], predicted[1], enhancing_ml):
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
    visits = by_patient(cases, patients)
    dice = {pair: np.mean([_of_patient(some, pair) for some in visits], axis=0) for pair in pairs}
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
