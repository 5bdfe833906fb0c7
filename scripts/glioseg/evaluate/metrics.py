"""The metrics, as in the BraTS challenge: how each is computed, shown and cited."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from glioseg.evaluate import measures
from glioseg.evaluate.region_pair import ABSENT_HD95_MM, Pair, region_pairs, tumor_box
from glioseg.labels import CLASSES


class Metric(NamedTuple):
    """How a metric is computed, shown and cited.

    words: its name in tables; formula: what is computed, in signs or words, for the report's glossary; source: the key
    of a publication in references.bib; failed: the score of a subject that could not be predicted, None if it is
    unknown; digits: decimals in tables; of_classes: whether it is also computed for each tissue class. Surfaces and
    lesions of a class say little, since it may be a thin shell or a few specks.
    """

    compute: Callable[[Pair], float]
    words: str
    formula: str
    source: str
    failed: float | None
    digits: int
    of_classes: bool = False


METRICS = {
    "dice": Metric(
        measures.dice,
        "Dice",
        "2 TP / (2 TP + FP + FN)",
        "dice1945",
        failed=0.0,
        digits=3,
        of_classes=True,
    ),
    "hd95_mm": Metric(
        measures.hd95_mm,
        "95 % Hausdorff distance, mm",
        "95th percentile of the distances from each surface voxel to the other surface, both directions pooled",
        "huttenlocher1993",
        failed=ABSENT_HD95_MM,
        digits=1,
    ),
    "sensitivity": Metric(
        measures.sensitivity,
        "Sensitivity",
        "TP / (TP + FN)",
        "taha2015",
        failed=0.0,
        digits=3,
        of_classes=True,
    ),
    "specificity": Metric(
        measures.specificity,
        "Specificity",
        "TN / (TN + FP), over all voxels of the scan",
        "taha2015",
        failed=0.0,
        digits=4,
        of_classes=True,
    ),
    "iou": Metric(
        measures.iou,
        "Intersection over union",
        "TP / (TP + FP + FN)",
        "jaccard1912",
        failed=0.0,
        digits=3,
        of_classes=True,
    ),
    "precision": Metric(
        measures.precision,
        "Precision",
        "TP / (TP + FP)",
        "taha2015",
        failed=0.0,
        digits=3,
        of_classes=True,
    ),
    "assd_mm": Metric(
        measures.assd_mm,
        "Average symmetric surface distance, mm",
        "mean distance from each surface voxel to the other surface, both directions pooled",
        "heimann2009",
        failed=ABSENT_HD95_MM,
        digits=1,
    ),
    "nsd_05mm": Metric(
        measures.nsd_half_mm,
        "Normalized surface distance at 0.5 mm",
        "area of both surfaces within 0.5 mm of the other one / area of both surfaces",
        "nikolov2021",
        failed=0.0,
        digits=3,
    ),
    "nsd_1mm": Metric(
        measures.nsd_one_mm,
        "Normalized surface distance at 1 mm",
        "area of both surfaces within 1 mm of the other one / area of both surfaces",
        "nikolov2021",
        failed=0.0,
        digits=3,
    ),
    "volume_difference_ml": Metric(
        measures.volume_difference_ml,
        "Volume difference (predicted \N{MINUS SIGN} true), ml",
        "FP \N{MINUS SIGN} FN, times the volume of a voxel",
        "taha2015",
        failed=None,
        digits=1,
    ),
    "volume_difference_percent": Metric(
        measures.volume_difference_percent,
        "Volume difference (predicted \N{MINUS SIGN} true), % of the true volume",
        "100 (FP \N{MINUS SIGN} FN) / (TP + FN)",
        "heimann2009",
        failed=-100.0,
        digits=1,
    ),
    "lesion_dice": Metric(
        measures.lesion_dice,
        "Lesion-wise Dice (BraTS 2023)",
        "mean Dice of the true lesions and the false positive lesions; a false positive lesion has 0",
        "moawad2023",
        failed=0.0,
        digits=3,
    ),
    "lesion_hd95_mm": Metric(
        measures.lesion_hd95_mm,
        "Lesion-wise 95 % Hausdorff distance (BraTS 2023), mm",
        "mean HD95 of the true and the false positive lesions; a false negative or false positive one has 374 mm",
        "moawad2023",
        failed=measures.MISSED_LESION_MM,
        digits=1,
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
