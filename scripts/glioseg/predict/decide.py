"""From what a network says of each voxel to tissue classes, to the regions' probabilities, and to how sure it is.

A network's targets are "classes" (a softmax over tissue classes that exclude each other, background first) or
"regions" (a sigmoid for each of the overlapping regions WT, TC, ET, …). Probabilities are (X, Y, Z, K) float32;
channels names the K. They come with the last axis outermost in memory, so one channel after the other is read.
"""

from collections.abc import Sequence

import numpy as np

from glioseg.labels import CLASSES, EVERYWHERE, REGIONS, check_targets, classes_of_regions

# What is added to both volumes of an expected Dice, so that a region that is neither predicted nor likely is smoothing.
SMOOTHING_ML = 0.1


def decide(probabilities: np.ndarray, channels: Sequence[str], targets: str) -> np.ndarray:
    """Class indices (X, Y, Z) uint8 of probabilities. Raises ValueError for unknown targets."""
    if targets == "regions":
        return regions_to_classes(probabilities, channels)
    check_targets(targets)
    indices = [CLASSES.index(name) for name in channels]
    best = probabilities[..., 0].copy()
    found = np.full(best.shape, indices[0], np.uint8)
    # Channel by channel, several times as fast as argmax over the last axis; of equals the first wins here, too.
    for place, index in enumerate(indices[1:], start=1):
        found[probabilities[..., place] > best] = index
        np.maximum(best, probabilities[..., place], out=best)
    return found


def regions_to_classes(probabilities: np.ndarray, regions: Sequence[str]) -> np.ndarray:
    """Class indices (X, Y, Z) uint8 of the regions' sigmoids (X, Y, Z, R), each region from 0.5 on."""
    inside = {name: probabilities[..., place] > 0.5 for place, name in enumerate(regions)}
    return classes_of_regions(inside, lambda name: np.uint8(CLASSES.index(name)), np.where)


def region_probabilities(probabilities: np.ndarray, channels: Sequence[str], targets: str, name: str) -> np.ndarray:
    """The probability (X, Y, Z) float32 of a region: its sigmoid, or the sum of its classes'.

    Raises ValueError for a region that the network doesn't know, and for unknown targets.
    """
    check_targets(targets)
    members = {"regions": (name,), "classes": REGIONS[name]}[targets]
    places = [place for place, channel in enumerate(channels) if channel in members]
    if not places:
        raise ValueError(f"the network tells {', '.join(channels)} apart and knows no {name}; leave {name} out of maps")
    total = probabilities[..., places[0]]
    for place in places[1:]:
        total = total + probabilities[..., place]
    return total


def entropy(probabilities: np.ndarray, targets: str) -> np.ndarray:
    """How mean_entropy each voxel is, from 0 to 1 (…, float32): the entropy of probabilities (…, K) over its largest.

    Of regions, the mean of their binary entropies.
    """
    check_targets(targets)
    total = np.zeros(probabilities.shape[:-1], np.float32)
    count = probabilities.shape[-1]
    for place in range(count):
        share = probabilities[..., place]
        total -= share * np.log(np.maximum(share, np.float32(1e-8)))
        if targets == "regions":
            total -= (1 - share) * np.log(np.maximum(1 - share, np.float32(1e-8)))
    return total / np.float32(np.log(count) if targets == "classes" else count * np.log(2))


def uncertainty(probabilities: np.ndarray, channels: Sequence[str], targets: str, voxel_ml: float) -> dict:
    """How sure a segmentation is, without a truth: {"uncertainty", "expected_dice": {region: …}, "entropy"}.

    expected_dice takes each voxel's probability for how often it belongs to the region: twice the probability inside of
    what was predicted over the predicted volume and all probability (the soft Dice of the prediction and its own
    probabilities). uncertainty: 1 less its mean over WT, TC and ET. entropy: its mean inside of the predicted WT, 0
    where there is none. voxel_ml: volume of a voxel.
    """
    smoothing = SMOOTHING_ML / voxel_ml
    dice, mean_entropy = {}, 0.0
    for name in EVERYWHERE:
        share = region_probabilities(probabilities, channels, targets, name)
        inside = share > 0.5
        predicted, total = float(np.count_nonzero(inside)), float(share.sum(dtype=np.float64))
        agreed = float(share[inside].sum(dtype=np.float64))
        dice[name] = (2 * agreed + smoothing) / (predicted + total + smoothing)
        if name == "WT" and predicted:
            mean_entropy = float(entropy(probabilities[inside], targets).mean())
    return {"uncertainty": 1 - sum(dice.values()) / len(dice), "expected_dice": dice, "entropy": mean_entropy}
