"""Turn a network's output into tissue classes, region probabilities and the uncertainty of a segmentation.

A network's targets are "classes" (a softmax over mutually exclusive tissue classes, background first) or "regions"
(a sigmoid for each of the overlapping regions WT, TC, ET, …). Probabilities are (X, Y, Z, K) float32; channels names
the K channels. The last axis is outermost in memory, so the functions here read one channel at a time.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from glioseg.labels import CLASSES, EVERYWHERE, REGIONS, check_targets, classes_of_regions
from glioseg.predict.calibrate.temperature import calibrated

# Added to numerator and denominator of an expected Dice, so that a region neither predicted nor likely scores 1.
SMOOTHING_ML = 0.1
HALF = 0.5


def decide(
    probabilities: np.ndarray, channels: Sequence[str], targets: str, thresholds: Mapping[str, float]
) -> np.ndarray:
    """Return the class index (X, Y, Z) uint8 of each voxel. Raises ValueError for unknown targets.

    thresholds: of regions (see `regions_to_classes`), which classes do not have.
    """
    if targets == "regions":
        return regions_to_classes(dict(zip(channels, np.moveaxis(probabilities, -1, 0), strict=True)), thresholds)
    check_targets(targets)
    indices = [CLASSES.index(name) for name in channels]
    best = probabilities[..., 0].copy()
    found = np.full(best.shape, indices[0], np.uint8)
    # This loop is several times as fast as argmax over the last axis. As there, the first channel wins a tie.
    for place, index in enumerate(indices[1:], start=1):
        found[probabilities[..., place] > best] = index
        np.maximum(best, probabilities[..., place], out=best)
    return found


def regions_to_classes(probabilities: Mapping[str, np.ndarray], thresholds: Mapping[str, float]) -> np.ndarray:
    """Return class indices (X, Y, Z) uint8 for regions' probabilities (X, Y, Z), which inside exceed a threshold.

    A region without a threshold has `HALF`.
    """
    inside = {name: values > thresholds.get(name, HALF) for name, values in probabilities.items()}
    return classes_of_regions(inside, lambda name: np.uint8(CLASSES.index(name)), np.where)


def cut_again(
    classes: np.ndarray, probabilities: Mapping[str, np.ndarray], thresholds: Mapping[str, float]
) -> np.ndarray:
    """Return the class indices (same shape) that other thresholds give, from the probabilities of WT, TC and ET.

    A resection cavity stays where it is outside of the new WT.
    """
    cavity = classes == CLASSES.index("cavity")
    return regions_to_classes({"RC": cavity.astype(np.float32), **probabilities}, thresholds)


def region_probabilities(probabilities: np.ndarray, channels: Sequence[str], targets: str, name: str) -> np.ndarray:
    """Return a region's probability (X, Y, Z) float32: its sigmoid, or the sum over its classes.

    Raises ValueError for a region that the network does not predict, and for unknown targets.
    """
    check_targets(targets)
    members = {"regions": (name,), "classes": REGIONS[name]}[targets]
    places = [place for place, channel in enumerate(channels) if channel in members]
    if not places:
        raise ValueError(f"the network predicts {', '.join(channels)}, but not {name}; remove {name} from maps")
    total = probabilities[..., places[0]]
    for place in places[1:]:
        total = total + probabilities[..., place]
    return total


def entropy(probabilities: np.ndarray, targets: str) -> np.ndarray:
    """Return the entropy (…) float32 of probabilities (…, K), divided by its maximum: from 0 to 1.

    For regions, this is the mean of their binary entropies.
    """
    check_targets(targets)
    total = np.zeros(probabilities.shape[:-1], np.float32)
    count = probabilities.shape[-1]
    for place in range(count):
        probability = probabilities[..., place]
        total -= probability * np.log(np.maximum(probability, np.float32(1e-8)))
        if targets == "regions":
            total -= (1 - probability) * np.log(np.maximum(1 - probability, np.float32(1e-8)))
    return total / np.float32(np.log(count) if targets == "classes" else count * np.log(2))


def uncertainty(
    probabilities: np.ndarray,
    channels: Sequence[str],
    targets: str,
    thresholds: Mapping[str, float],
    voxel_ml: float,
    temperature: float = 1,
) -> dict:
    """Return {"uncertainty", "expected_dice": {region: …}, "entropy"} of a segmentation, without using a truth.

    uncertainty is 1 minus the mean `expected_dice` of WT, TC and ET, from probabilities at a temperature. entropy is
    that of the network, the mean inside the predicted WT, 0 if no WT is predicted.
    thresholds: of regions, as in `decide`; voxel_ml: volume of a voxel.
    """
    dice, mean_entropy = {}, 0.0
    for name in EVERYWHERE:
        probability = region_probabilities(probabilities, channels, targets, name)
        inside = probability > (thresholds.get(name, HALF) if targets == "regions" else HALF)
        dice[name] = expected_dice(calibrated(probability, temperature), inside, voxel_ml)
        if name == "WT" and inside.any():
            mean_entropy = float(entropy(probabilities[inside], targets).mean())
    return {"uncertainty": 1 - sum(dice.values()) / len(dice), "expected_dice": dice, "entropy": mean_entropy}


def expected_dice(probability: np.ndarray, inside: np.ndarray, voxel_ml: float) -> float:
    """Return the Dice that a predicted region would have if its probabilities were true.

    This is the soft Dice: twice the probability sum inside the predicted region, divided by the predicted volume plus
    the sum of all probabilities. The Dice of a region that is not predicted is 1 if the truth lacks it, and 0
    otherwise; its probability of being there is the mean of the highest probabilities in `SMOOTHING_ML`, because a sum
    of small probabilities over a whole scan says nothing of a tumor that nobody sees.
    probability, inside (bool): of one shape; voxel_ml: volume of a voxel.
    """
    smoothing = SMOOTHING_ML / voxel_ml
    predicted, total = float(np.count_nonzero(inside)), float(probability.sum(dtype=np.float64))
    if not predicted:
        few = min(max(round(smoothing), 1), probability.size)
        return 1 - float(np.partition(probability.ravel(), -few)[-few:].mean(dtype=np.float64))
    agreed = float(probability[inside].sum(dtype=np.float64))
    return (2 * agreed + smoothing) / (predicted + total + smoothing)
