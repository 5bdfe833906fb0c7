"""Losses by name: (one-hot truth, softmax), both float32 (batch, X, Y, Z, classes) -> scalar; several are summed."""

from collections.abc import Sequence

import keras
from keras import ops

from glioseg.labels import EVERYWHERE, REGIONS


def dice_cross_entropy(truth, prediction):
    """Soft Dice loss, mean over the tissue classes that the batch holds, plus mean cross-entropy.

    After Isensee et al. 2018, arXiv:1809.10486. A class that the truth lacks is left to the cross-entropy: in a Dice
    smoothed for that case its gradient outweighs by orders of magnitude what patches with the class can teach, and a
    rare class dies. A batch without tumor: cross-entropy alone. Sums are float32 whatever the precision policy.
    """
    truth, prediction = _voxels(truth), _voxels(prediction)
    both = ops.diagonal(overlaps(truth, prediction))[1:]
    held = ops.sum(truth, 0)[1:]
    present = ops.cast(held > 0, "float32")
    dice = 2 * both / ops.maximum(held + ops.sum(prediction, 0)[1:], 1e-7)
    dice_loss = ops.sum(present * (1 - dice)) / ops.maximum(ops.sum(present), 1)
    cross_entropy = -ops.sum(truth * ops.log(ops.clip(prediction, 1e-7, 1.0))) / ops.cast(
        ops.shape(truth)[0], "float32"
    )
    return dice_loss + cross_entropy


def overlaps(truth, prediction):
    """Sums over voxels of truth times prediction, by pair of classes: (voxels, classes) twice -> (classes, classes).

    As one matrix product it is several times faster than sums along the short last axis.
    """
    return ops.matmul(ops.transpose(truth), prediction)


def _voxels(volume):
    return ops.reshape(ops.cast(volume, "float32"), (-1, volume.shape[-1]))


def sm_dice(classes: int):
    """segmentation-models-3D's DiceLoss with the original recipe's class weights: a perfect prediction has 0.75."""
    import segmentation_models_3D as sm

    return sm.losses.DiceLoss(class_weights=[0.25] * classes)


def sm_focal(classes: int):
    """segmentation-models-3D's CategoricalFocalLoss, as it comes."""
    import segmentation_models_3D as sm

    return sm.losses.CategoricalFocalLoss()


# Name -> a function of the number of classes that makes the loss: a library is loaded only where it is named.
LOSSES = {"dice_cross_entropy": lambda classes: dice_cross_entropy, "sm_dice": sm_dice, "sm_focal": sm_focal}


def build_loss(names, classes: int):
    """The sum of the losses of those names. Raises ValueError naming the known ones."""
    for name in names:
        if name not in LOSSES:
            raise ValueError(f"losses: {name!r} is not known; known are {', '.join(LOSSES)}")
    parts = [LOSSES[name](classes) for name in names]

    def loss(truth, prediction):
        return sum(part(truth, prediction) for part in parts)

    return loss


class Scores(keras.metrics.Metric):
    """Voxel accuracy, IoU, and Dice of WT, TC and ET with their mean, since the epoch began.

    Accuracy and Dice count hard labels (the likeliest class) over all voxels seen; Dice of a region that is in neither
    truth nor prediction is 1. IoU is that of segmentation-models-3D's `IOUScore(threshold=0.5)`: per batch, mean over
    all classes, background included. classes: the names of the channels, background first.
    """

    def __init__(self, classes: Sequence[str], name="scores"):
        super().__init__(name=name)
        self.regions = {key: [classes.index(t) for t in REGIONS[key] if t in classes] for key in EVERYWHERE}
        size = len(classes)
        self.confusion = self.add_weight(shape=(size, size), initializer="zeros", dtype="float64", name="confusion")
        self.iou = self.add_weight(shape=(2,), initializer="zeros", dtype="float32", name="iou")

    def update_state(self, truth, prediction, sample_weight=None):
        truth, prediction = _voxels(truth), _voxels(prediction)
        likeliest = ops.cast(prediction == ops.max(prediction, -1, keepdims=True), "float32")
        self.confusion.assign_add(ops.cast(overlaps(truth, likeliest), "float64"))
        sure = ops.cast(prediction > 0.5, "float32")
        both = ops.diagonal(overlaps(truth, sure))
        union = ops.sum(truth, 0) + ops.sum(sure, 0) - both
        self.iou.assign_add(ops.stack([ops.mean((both + 1e-5) / (union + 1e-5)), 1.0]))

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
