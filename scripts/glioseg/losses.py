"""Losses by name, and the scores of learning: of one-hot classes and what a network makes of them, both float32."""

import math
from collections.abc import Callable, Sequence

import keras
from keras import ops

from glioseg.fused import fuse
from glioseg.labels import CLASSES, EVERYWHERE, REGIONS, targets_of


def dice_cross_entropy(batch_dice: bool, exclusive: bool) -> Callable:
    """Soft Dice loss, mean over what the truth holds of the targets, plus mean cross-entropy.

    After Isensee et al. 2018, arXiv:1809.10486. A target that the truth lacks is left to the cross-entropy: in a Dice
    smoothed for that case its gradient outweighs by orders of magnitude what patches with the class can teach, and a
    rare class dies. A batch without tumor: cross-entropy alone. Sums are float32 whatever the precision policy.

    batch_dice: the Dice of a target is that of all patches of the batch together, else of each patch by itself.
    exclusive: outputs are a softmax over classes, the first of which is background and has no Dice; else sigmoids, each
    with a cross-entropy of its own.
    """

    def loss(truth, prediction):
        truth, prediction = _patches(truth), _patches(prediction)
        first = 1 if exclusive else 0
        both, held, found = (ops.sum(part, 2)[:, first:] for part in (truth * prediction, truth, prediction))
        if batch_dice:
            both, held, found = (ops.sum(values, 0) for values in (both, held, found))
        present = ops.cast(held > 0, "float32")
        dice = 2 * both / ops.maximum(held + found, 1e-7)
        dice_loss = ops.sum(present * (1 - dice)) / ops.maximum(ops.sum(present), 1)
        bits = truth * ops.log(ops.clip(prediction, 1e-7, 1.0))
        if not exclusive:
            bits += (1 - truth) * ops.log(ops.clip(1 - prediction, 1e-7, 1.0))
        terms = ops.shape(truth)[0] * truth.shape[2] * (1 if exclusive else truth.shape[1])
        return dice_loss - ops.sum(bits) / ops.cast(terms, "float32")

    return loss


def overlaps(truth, prediction):
    """Sums over voxels of truth times prediction, by pair: (B, K, voxels) twice -> (B, K, K)."""
    return ops.matmul(truth, ops.transpose(prediction, (0, 2, 1)))


def _patches(volume):
    """(B, X, Y, Z, K) -> (B, K, voxels) float32: along the short last axis all of it would be several times slower."""
    rows = ops.reshape(ops.cast(volume, "float32"), (-1, math.prod(volume.shape[1:-1]), volume.shape[-1]))
    return ops.transpose(rows, (0, 2, 1))


def sm_dice(classes: int):
    """segmentation-models-3D's DiceLoss with the original recipe's class weights: a perfect prediction has 0.75."""
    import segmentation_models_3D as sm

    return sm.losses.DiceLoss(class_weights=[0.25] * classes)


def sm_focal():
    """segmentation-models-3D's CategoricalFocalLoss, as it comes."""
    import segmentation_models_3D as sm

    return sm.losses.CategoricalFocalLoss()


LOSSES = ("dice_cross_entropy", "sm_dice", "sm_focal")


def build_loss(names: Sequence[str], classes: Sequence[str], targets: str, batch_dice: bool) -> Callable:
    """The sum of the losses of those names: (one-hot classes, the network's outputs), (batch, X, Y, Z, K) -> scalar.

    targets: "classes" or "regions", what the outputs are (`labels.targets_of`). Raises ValueError naming the known
    losses, or for one that takes no regions.
    """
    exclusive = targets == "classes"
    parts = []
    # A library is loaded only where it is named.
    for name in names:
        if name not in LOSSES:
            raise ValueError(f"losses: {name!r} is not known; known are {', '.join(LOSSES)}")
        if name != "dice_cross_entropy" and not exclusive:
            raise ValueError(f"losses: {name} takes exclusive classes; with targets: regions take dice_cross_entropy")
        if name == "dice_cross_entropy":
            parts.append(dice_cross_entropy(batch_dice, exclusive))
        else:
            parts.append(sm_dice(len(classes)) if name == "sm_dice" else sm_focal())
    to_targets = None if exclusive else membership(classes)

    def loss(truth, prediction):
        if to_targets is not None:
            truth = ops.matmul(ops.cast(truth, "float32"), to_targets)
        return sum(part(truth, prediction) for part in parts)

    return loss


def membership(classes: Sequence[str]):
    """Which class (row) is part of which region (column): (classes, regions) float32, 0 or 1."""
    regions = targets_of("regions", classes)
    rows = [[float(name in REGIONS[region]) for region in regions] for name in classes]
    return ops.convert_to_tensor(rows, "float32")


def exclusive_classes(probabilities, classes: Sequence[str]):
    """One-hot classes (…, K) of the probabilities of regions (…, R), each taken from 0.5 on.

    WT, TC and ET lie one inside the other: outside of WT is no tumor, outside of TC edema, outside of ET necrosis.
    """
    there = {name: probabilities[..., i] > 0.5 for i, name in enumerate(targets_of("regions", classes))}
    index = {name: classes.index(name) if name in classes else 0 for name in CLASSES}
    tissue = ops.where(there["TC"], ops.where(there["ET"], index["enhancing"], index["necrosis"]), index["edema"])
    outside = ops.where(there["RC"], index["cavity"], 0) if "RC" in there else 0
    return ops.one_hot(ops.where(there["WT"], tissue, outside), len(classes), dtype="float32")


class Scores(keras.metrics.Metric):
    """Voxel accuracy, IoU, and Dice of WT, TC and ET with their mean, since the epoch began.

    Accuracy and Dice count hard labels (the likeliest class) over all voxels seen; Dice of a region that is in neither
    truth nor prediction is 1. IoU is that of segmentation-models-3D's `IOUScore(threshold=0.5)`: per batch, mean over
    all classes, background included. classes: names of the truth's channels, background first; targets: what the
    network's outputs are, once `activate` is applied. Regions become classes first (`exclusive_classes`).
    """

    def __init__(self, classes: Sequence[str], targets: str, activate=lambda outputs: outputs, name="scores"):
        super().__init__(name=name)
        self.activate, self.count = activate, fuse(self._count)
        self.classes, self.exclusive = tuple(classes), targets == "classes"
        self.regions = {key: [classes.index(t) for t in REGIONS[key] if t in classes] for key in EVERYWHERE}
        size = len(classes)
        self.confusion = self.add_weight(shape=(size, size), initializer="zeros", dtype="float64", name="confusion")
        self.iou = self.add_weight(shape=(2,), initializer="zeros", dtype="float32", name="iou")

    def update_state(self, truth, prediction, sample_weight=None):
        confusion, iou = self.count(truth, prediction)
        self.confusion.assign_add(ops.cast(confusion, "float64"))
        self.iou.assign_add(ops.stack([iou, 1.0]))

    def _count(self, truth, prediction):
        """Of a batch: voxels by true (row) and likeliest class (column), and IoU."""
        prediction = self.activate(prediction)
        if not self.exclusive:
            prediction = exclusive_classes(prediction, self.classes)
        truth, prediction = _patches(truth), _patches(prediction)
        likeliest = ops.cast(prediction == ops.max(prediction, 1, keepdims=True), "float32")
        sure = ops.cast(prediction > 0.5, "float32")
        both, held, found = (ops.sum(part, (0, 2)) for part in (truth * sure, truth, sure))
        union = held + found - both
        return ops.sum(overlaps(truth, likeliest), 0), ops.mean((both + 1e-5) / (union + 1e-5))

    def result(self):
        result = {
            "accuracy": ops.trace(self.confusion) / ops.maximum(ops.sum(self.confusion), 1),
            "iou": self.iou[0] / ops.maximum(self.iou[1], 1),
        }
        for key, tissues in self.regions.items():
            truth, predicted = ops.take(self.confusion, tissues, 0), ops.take(self.confusion, tissues, 1)
            # Any tissue of the region predicted as any other of it counts as found.
            both = ops.sum(ops.take(truth, tissues, 1))
            total = ops.sum(truth) + ops.sum(predicted)
            result[f"dice_{key.lower()}"] = ops.where(total > 0, 2 * both / ops.maximum(total, 1), 1.0)
        result["dice"] = sum(result[f"dice_{key.lower()}"] for key in self.regions) / len(self.regions)
        return result
