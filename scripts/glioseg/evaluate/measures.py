"""The functions that measure the agreement of a predicted region with the true one, each from a `Pair`.

Scores of absent regions follow BraTS 2020, as implemented in CaPTk, the software of its organizers
(GetBraTSLabelStatistics in cbicaITKUtilities.h of github.com/CBICA/CaPTk). The lesion-wise metrics follow BraTS 2023.
"""

from functools import partial

import numpy as np

from glioseg.evaluate.region_pair import Pair

# `ABSENT_HD95_MM` for a lesion, as rounded by BraTS 2023.
MISSED_LESION_MM = 374.0
ROUNDING_MM = 1e-4


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
    return share(common, common + only_predicted + only_true, 1.0)


def sensitivity(pair: Pair) -> float:
    """Return the share of the true region that was predicted, TP / (TP + FN).

    Both empty: 1. Only the truth empty: 0, since all that was predicted is false. Only the prediction empty: 0.
    """
    common, only_predicted, only_true, _ = pair.counts
    return share(common, common + only_true, 0.0 if only_predicted else 1.0)


def specificity(pair: Pair) -> float:
    """Return the share of voxels outside the true region that were not predicted, TN / (TN + FP), in the whole scan.

    It depends on how much background the scan holds, and is close to 1 for any tumor in a whole scan.
    Both empty: 1. Nothing outside the true region: 1.
    """
    _, only_predicted, _, neither = pair.counts
    return share(neither, neither + only_predicted, 1.0)


def precision(pair: Pair) -> float:
    """Return the share of the predicted region that is true, TP / (TP + FP).

    Both empty: 1. Only the prediction empty: 0, since the true region was missed. Only the truth empty: 0.
    """
    common, only_predicted, only_true, _ = pair.counts
    return share(common, common + only_predicted, 0.0 if only_true else 1.0)


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


def surface_dice(pair: Pair, tolerance_mm: float) -> float:
    """Return the share of both surfaces that lies within a tolerance of the other one, by area, from 0 to 1.

    The normalized surface distance of Nikolov et al. 2021 (doi:10.2196/26151), with the surfaces of DeepMind's
    surface-distance 0.1. Both empty: 1. One empty: 0.
    """
    if not all(pair.sizes_ml):
        return 0.0 if any(pair.sizes_ml) else 1.0
    distances, areas = pair.surfaces
    # A spacing of 1.0000001 mm, as headers have it, is not farther than 1 mm.
    return float(areas[distances <= tolerance_mm + ROUNDING_MM].sum() / areas.sum())


nsd_half_mm = partial(surface_dice, tolerance_mm=0.5)
nsd_one_mm = partial(surface_dice, tolerance_mm=1.0)


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
    true, false = pair.lesions.true, len(pair.lesions.false_positive)
    return share(sum(dice(pair.of(lesion)) for lesion in true), len(true) + false, 1.0)


def lesion_hd95_mm(pair: Pair) -> float:
    """Return the mean HD95 in mm of the true lesions and of the false positive lesions.

    A false negative lesion and a false positive one count as 374 mm. See `match_lesions`. A lesion's distance is
    `hd95_mm`, as in brats-evaluation; the code of 2023 used DeepMind's. Neither a true lesion above the size
    limit nor a false positive: 0.
    """
    true, false = pair.lesions.true, len(pair.lesions.false_positive)
    found = sum(hd95_mm(pair.of(lesion)) if lesion.prediction.any() else MISSED_LESION_MM for lesion in true)
    return share(found + false * MISSED_LESION_MM, len(true) + false, 0.0)


def share(part: float, whole: float, otherwise: float) -> float:
    return part / whole if whole else otherwise
