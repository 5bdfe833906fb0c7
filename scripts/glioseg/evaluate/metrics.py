"""Measure the agreement of a predicted region with the true one, as in the BraTS challenge.

Scores of absent regions follow BraTS 2020, as implemented in CaPTk, the software of its organizers
(GetBraTSLabelStatistics in cbicaITKUtilities.h of github.com/CBICA/CaPTk). The lesion-wise metrics follow BraTS 2023.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from glioseg.evaluate.region_pair import ABSENT_HD95_MM, Pair, region_pairs, tumor_box
from glioseg.labels import CLASSES

# `ABSENT_HD95_MM` for a lesion, as rounded by BraTS 2023.
MISSED_LESION_MM = 374.0


def dice(pair: Pair) -> float:
    """Return the overlap 2 TP / (2 TP + FP + FN), from 0 to 1 (Dice 1945, doi:10.2307/1932409).

    Both empty: 1. One empty: 0.
    """
    common, only_predicted, only_true, _ = pair.counts
    return dice_of_sizes(common + only_true, common + only_predicted, common)


def dice_of_sizes(truth: int, prediction: int, common: int) -> float:
    """Return `dice` of two regions from the voxel count of each and of their overlap."""
    return 2 * common / (truth + prediction) if truth + prediction else 1.0


def iou(pair: Pair) -> float:
    """Return the overlap TP / (TP + FP + FN), the Jaccard index: Dice / (2 - Dice). Both empty: 1. One empty: 0."""
    common, only_predicted, only_true, _ = pair.counts
    return _share(common, common + only_predicted + only_true, 1.0)


def sensitivity(pair: Pair) -> float:
    """Return the share of the true region that was predicted, TP / (TP + FN).

    Both empty: 1. Only the truth empty: 0, since all that was predicted is false. Only the prediction empty: 0.
    """
    common, only_predicted, only_true, _ = pair.counts
    return _share(common, common + only_true, 0.0 if only_predicted else 1.0)


def specificity(pair: Pair) -> float:
    """Return the share of voxels outside the true region that were not predicted, TN / (TN + FP), in the whole scan.

    It depends on how much background the scan holds, and is close to 1 for any tumor in a whole scan.
    Both empty: 1. Nothing outside the true region: 1.
    """
    _, only_predicted, _, neither = pair.counts
    return _share(neither, neither + only_predicted, 1.0)


def precision(pair: Pair) -> float:
    """Return the share of the predicted region that is true, TP / (TP + FP).

    Both empty: 1. Only the prediction empty: 0, since the true region was missed. Only the truth empty: 0.
    """
    common, only_predicted, only_true, _ = pair.counts
    return _share(common, common + only_predicted, 0.0 if only_true else 1.0)


def hd95_mm(pair: Pair) -> float:
    """Return the 95th percentile of the distances between two surfaces, both directions pooled, in mm.

    The organizers pooled both directions in 2020 (CaPTk calls github.com/CBICA/HausdorffCLI, which is
    medpy.metric.binary.hd95) and still do (panoptica, in PyPI's brats-evaluation). Others, such as DeepMind's
    surface-distance, take the larger of the two directed percentiles. Its values are larger, so the two definitions
    cannot be compared. Both empty: 0. One empty: 373.13.
    """
    return float(np.percentile(np.concatenate(pair.distances_mm), 95))


def assd_mm(pair: Pair) -> float:
    """Return the average symmetric surface distance in mm: the mean between two surfaces, both directions pooled.

    As medpy.metric.binary.assd; others take the mean of the two directed means. Both empty: 0. One empty: 373.13.
    """
    return float(np.concatenate(pair.distances_mm).mean())


def volume_difference_ml(pair: Pair) -> float:
    """Return the predicted minus the true volume, in ml."""
    true_ml, predicted_ml = pair.sizes_ml
    return predicted_ml - true_ml


def volume_difference_percent(pair: Pair) -> float:
    """Return predicted minus true volume, in percent of the true volume. Both empty: 0. Only the truth empty: 100."""
    true_ml, predicted_ml = pair.sizes_ml
    return 100 * (predicted_ml - true_ml) / (true_ml or predicted_ml or 1)


def lesion_dice(pair: Pair) -> float:
    """Return the mean Dice of the true lesions and of the false positive lesions, which have a Dice of 0.

    See `match_lesions`. Neither a true lesion above the size limit nor a false positive: 1.
    """
    true, false = pair.lesions.true, len(pair.lesions.spurious)
    return _share(sum(dice(pair.of(lesion)) for lesion in true), len(true) + false, 1.0)


def lesion_hd95_mm(pair: Pair) -> float:
    """Return the mean HD95 in mm of the true lesions and of the false positive lesions.

    A missed lesion and a false positive one count as 374 mm. See `match_lesions`. A lesion's distance is `hd95_mm`, as
    in brats-evaluation; the code of 2023 used DeepMind's. Neither a true lesion above the size limit nor a false
    positive: 0.
    """
    true, false = pair.lesions.true, len(pair.lesions.spurious)
    found = sum(hd95_mm(pair.of(lesion)) if lesion.prediction.any() else MISSED_LESION_MM for lesion in true)
    return _share(found + false * MISSED_LESION_MM, len(true) + false, 0.0)


class Metric(NamedTuple):
    """How a metric is computed and shown.

    words: its name in tables; failed: the score of a subject that could not be predicted, None if it is unknown;
    digits: decimals in tables; of_classes: whether it is also computed for each tissue class. Surfaces and lesions of
    a class say little, since it may be a thin shell or a few specks.
    """

    compute: Callable[[Pair], float]
    words: str
    failed: float | None
    digits: int
    of_classes: bool = False


METRICS = {
    "dice": Metric(dice, "Dice", failed=0.0, digits=3, of_classes=True),
    "hd95_mm": Metric(hd95_mm, "95 % Hausdorff distance, mm", failed=ABSENT_HD95_MM, digits=1),
    "sensitivity": Metric(sensitivity, "Sensitivity", failed=0.0, digits=3, of_classes=True),
    "specificity": Metric(specificity, "Specificity", failed=0.0, digits=4, of_classes=True),
    "iou": Metric(iou, "Intersection over union", failed=0.0, digits=3, of_classes=True),
    "precision": Metric(precision, "Precision", failed=0.0, digits=3, of_classes=True),
    "assd_mm": Metric(assd_mm, "Average symmetric surface distance, mm", failed=ABSENT_HD95_MM, digits=1),
    "volume_difference_ml": Metric(
        volume_difference_ml, "Volume difference (predicted \N{MINUS SIGN} true), ml", failed=None, digits=1
    ),
    "volume_difference_percent": Metric(
        volume_difference_percent,
        "Volume difference (predicted \N{MINUS SIGN} true), % of the true volume",
        failed=-100.0,
        digits=1,
    ),
    "lesion_dice": Metric(lesion_dice, "Lesion-wise Dice (BraTS 2023)", failed=0.0, digits=3),
    "lesion_hd95_mm": Metric(
        lesion_hd95_mm, "Lesion-wise 95 % Hausdorff distance (BraTS 2023), mm", failed=MISSED_LESION_MM, digits=1
    ),
}
# Volumes are listed with the metrics.
METRIC_NAMES = {name: metric.words for name, metric in METRICS.items()}
METRIC_NAMES |= {"truth_ml": "True volume, ml", "predicted_ml": "Predicted volume, ml"}
CLASS_METRICS = tuple(name for name, metric in METRICS.items() if metric.of_classes)


def score_pairs(pairs: Mapping[str, Pair]) -> dict[str, dict[str, float]]:
    """Return every metric of each region, and both volumes in ml. pairs: the `region_pairs` of truth and prediction."""
    return {name: _scores(pair, METRICS) for name, pair in pairs.items()}


def score_regions(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...], regions: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Return the `score_pairs` of two arrays of class indices; the arguments are those of `region_pairs`."""
    return score_pairs(region_pairs(truth, prediction, spacing_mm, regions))


def score_classes(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...], classes: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Return `CLASS_METRICS` of each class, and both volumes in ml, for two arrays of class indices.

    classes: names of CLASSES except the background. Raises ValueError if the shapes differ.
    """
    box = tumor_box(truth, prediction)
    pairs = {name: [volume[box] == CLASSES.index(name) for volume in (truth, prediction)] for name in classes}
    return {name: _scores(Pair(*pair, spacing_mm, truth.size), CLASS_METRICS) for name, pair in pairs.items()}


def _scores(pair: Pair, metrics: Iterable[str]) -> dict[str, float]:
    true_ml, predicted_ml = pair.sizes_ml
    scores = {name: float(METRICS[name].compute(pair)) for name in metrics}
    return {**scores, "truth_ml": true_ml, "predicted_ml": predicted_ml}


def _share(part: float, whole: float, otherwise: float) -> float:
    return part / whole if whole else otherwise
