"""How well a predicted region agrees with the true one, as the BraTS challenge measures it.

All metrics compare boolean arrays of one shape, truth first. What they give where a region is absent is the
convention of BraTS 2020, as CaPTk, its organizers' software, writes it out (GetBraTSLabelStatistics in
cbicaITKUtilities.h of github.com/CBICA/CaPTk).
"""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from glioseg.labels import region

# The diagonal of a 240 x 240 x 155 mm scan: the price of finding a region that is not there, or of missing one.
# The same on every grid, so that the scores of differently cropped data sets compare.
ABSENT_HD95_MM = 373.13


def dice(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Overlap 2 TP / (2 TP + FP + FN), between 0 and 1 (Dice 1945, doi:10.2307/1932409).

    Both empty: 1. One empty: 0.
    """
    true_positive, false_positive, false_negative, _ = _counts(truth, prediction)
    return dice_of_sizes(true_positive + false_negative, true_positive + false_positive, true_positive)


def dice_of_sizes(truth: int, prediction: int, common: int) -> float:
    """`dice` of two regions, given the voxels of each and of what they have in common."""
    return 2 * common / (truth + prediction) if truth + prediction else 1.0


def sensitivity(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Share of the true region that was found, TP / (TP + FN).

    Both empty: 1. Only the truth empty: 0, as something was found that is not there. Only the prediction empty: 0.
    """
    true_positive, false_positive, false_negative, _ = _counts(truth, prediction)
    if true_positive + false_negative == 0:
        return 0.0 if false_positive else 1.0
    return true_positive / (true_positive + false_negative)


def specificity(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Share of everything outside the true region that was left alone, TN / (TN + FP), over the whole array.

    It depends on how much background the array holds, and is close to 1 for any tumor in a whole scan.
    Both empty: 1. Nothing outside the true region: 1.
    """
    _, false_positive, _, true_negative = _counts(truth, prediction)
    outside = true_negative + false_positive
    return true_negative / outside if outside else 1.0


def hd95_mm(truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...]) -> float:
    """The 95th percentile of the distances between two surfaces, both directions pooled, in mm.

    A surface is those voxels of a region that share a face with its outside or with the array's edge; a distance
    goes from the center of a surface voxel to that of the nearest surface voxel of the other region. Pooling is how
    the organizers measured then (CaPTk calls github.com/CBICA/HausdorffCLI, which is medpy.metric.binary.hd95) and how
    they do now (panoptica, in PyPI's brats-evaluation). Others, such as DeepMind's surface-distance, take the larger
    of the two directed percentiles, which comes out larger: figures of the two kinds do not compare.

    spacing_mm: size of a voxel along each axis. Both empty: 0. One empty: 373.13.
    """
    _check(truth, prediction)
    if len(spacing_mm) != truth.ndim:
        raise ValueError(f"spacing_mm: expected {truth.ndim} values, one for each axis, found {len(spacing_mm)}")
    if not truth.any() or not prediction.any():
        return ABSENT_HD95_MM if truth.any() or prediction.any() else 0.0
    # Outside the box that holds both regions there is no surface, and a distance map costs by the voxel.
    box = ndimage.find_objects((truth | prediction).view(np.uint8))[0]
    true_surface, predicted_surface = _surface(truth[box]), _surface(prediction[box])
    to_prediction = ndimage.distance_transform_edt(~predicted_surface, sampling=spacing_mm)[true_surface]
    to_truth = ndimage.distance_transform_edt(~true_surface, sampling=spacing_mm)[predicted_surface]
    return float(np.percentile(np.concatenate([to_prediction, to_truth]), 95))


METRICS = {
    "dice": lambda truth, prediction, spacing_mm: dice(truth, prediction),
    "hd95_mm": hd95_mm,
    "sensitivity": lambda truth, prediction, spacing_mm: sensitivity(truth, prediction),
    "specificity": lambda truth, prediction, spacing_mm: specificity(truth, prediction),
}


def score_regions(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...], regions: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Every metric of each of the regions, with both volumes in ml, for two arrays of class indices.

    regions: names of REGIONS, such as `regions_of` the dialect that the truth is labelled in. No regions: {}.
    Raises ValueError where the shapes differ.
    """
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    scores = {}
    for name in regions:
        true_region, predicted_region = region(truth, name), region(prediction, name)
        scores[name] = {metric: score(true_region, predicted_region, spacing_mm) for metric, score in METRICS.items()}
        scores[name]["truth_ml"] = int(np.count_nonzero(true_region)) * voxel_ml
        scores[name]["predicted_ml"] = int(np.count_nonzero(predicted_region)) * voxel_ml
    return scores


def _counts(truth: np.ndarray, prediction: np.ndarray) -> tuple[int, int, int, int]:
    """Voxels that are true positive, false positive, false negative and true negative."""
    _check(truth, prediction)
    true_positive = int(np.count_nonzero(truth & prediction))
    false_positive = int(np.count_nonzero(prediction)) - true_positive
    false_negative = int(np.count_nonzero(truth)) - true_positive
    return true_positive, false_positive, false_negative, truth.size - true_positive - false_positive - false_negative


def _check(truth: np.ndarray, prediction: np.ndarray) -> None:
    if truth.shape != prediction.shape:
        raise ValueError(f"truth and prediction: expected one shape, found {truth.shape} and {prediction.shape}")
    if truth.dtype != bool or prediction.dtype != bool:
        raise ValueError(f"truth and prediction: expected booleans, found {truth.dtype} and {prediction.dtype}")


def _surface(mask: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask)
