"""Scores during training, from the true classes and a network's outputs."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from glioseg.labels import EVERYWHERE, REGIONS, classes_of_regions, targets_of
from glioseg.train.fast.xla import fuse


def exclusive_classes(probabilities, classes: Sequence[str]):
    """Convert probabilities of regions (…, R) to class indices (int32); a voxel is in a region above 0.5.

    See `labels.classes_of_regions`.
    """
    inside = {name: probabilities[..., i] > 0.5 for i, name in enumerate(targets_of("regions", classes))}
    return classes_of_regions(inside, lambda name: classes.index(name) if name in classes else 0, ops.where)


def _likeliest(probabilities):
    """Index (int32) of the largest value along the last axis, the first if several are equal, and that value."""
    # Channel by channel, because argmax is many times slower along a short last axis.
    index, largest = ops.zeros(ops.shape(probabilities)[:-1], "int32"), probabilities[..., 0]
    for channel in range(1, probabilities.shape[-1]):
        index = ops.where(probabilities[..., channel] > largest, channel, index)
        largest = ops.maximum(largest, probabilities[..., channel])
    return index, largest


class Scores(keras.metrics.Metric):
    """Voxel accuracy, IoU, and Dice of WT, TC and ET with their mean, over the epoch so far.

    Accuracy and Dice count hard labels (the likeliest class) over all voxels seen; Dice of a region that is in neither
    truth nor prediction is 1. If no class is a tissue of a tumor, each region is all classes but the background. IoU is
    that of segmentation-models-3D's `IOUScore(threshold=0.5)`: per batch, mean over all classes, background included.
    classes: names of the class indices in the truth (B, X, Y, Z), background first; targets: the meaning of the
    network's outputs after `activate`. Regions are converted to classes first (`exclusive_classes`). Voxels of no known
    class are ignored.
    """

    def __init__(self, classes: Sequence[str], targets: str, activate=lambda outputs: outputs, name="scores"):
        super().__init__(name=name)
        self.activate, self.kinds = activate, fuse(self._kinds)
        self.classes, self.exclusive = tuple(classes), targets == "classes"
        self.regions = {key: [classes.index(t) for t in REGIONS[key] if t in classes] for key in EVERYWHERE}
        size = len(classes)
        if not any(self.regions.values()):
            self.regions = dict.fromkeys(EVERYWHERE, tuple(range(1, size)))
        self.confusion = self.add_weight(shape=(size, size), initializer="zeros", dtype="float64", name="confusion")
        self.iou = self.add_weight(shape=(2,), initializer="zeros", dtype="float32", name="iou")

    def update_state(self, truth, prediction, sample_weight=None):
        size = len(self.classes)
        kinds = ops.reshape(self.kinds(truth, prediction), (-1,))
        # The size of Keras' own bincount depends on the values; XLA on a GPU must know it beforehand.
        none = tf.constant((), "int32")
        counts = tf.raw_ops.DenseBincount(input=kinds, size=2 * size * size, weights=none)
        counts = ops.reshape(ops.cast(counts, "float64"), (size, size, 2))
        confusion = ops.sum(counts, 2)
        confident = counts[..., 1]
        both = ops.diagonal(confident)
        union = ops.sum(confusion, 1) + ops.sum(confident, 0) - both
        iou = ops.mean((both + 1e-5) / (union + 1e-5))
        self.confusion.assign_add(confusion)
        self.iou.assign_add(ops.cast(ops.stack([iou, 1.0]), "float32"))

    def _kinds(self, truth, prediction):
        """Code of each voxel: (true class * classes + likeliest class) * 2, plus 1 if its probability is above 0.5."""
        prediction = self.activate(prediction)
        if self.exclusive:
            likeliest, largest = _likeliest(prediction)
            confident = ops.cast(largest > 0.5, "int32")
        else:
            likeliest, confident = exclusive_classes(prediction, self.classes), 1
        return (ops.cast(truth, "int32") * len(self.classes) + likeliest) * 2 + confident

    def result(self):
        result = {
            "accuracy": ops.trace(self.confusion) / ops.maximum(ops.sum(self.confusion), 1),
            "iou": self.iou[0] / ops.maximum(self.iou[1], 1),
        }
        for key, tissues in self.regions.items():
            if not tissues:
                result[f"dice_{key.lower()}"] = ops.ones(())
                continue
            truth, predicted = ops.take(self.confusion, tissues, 0), ops.take(self.confusion, tissues, 1)
            # Within a region, confusing its tissues still counts as a hit.
            both = ops.sum(ops.take(truth, tissues, 1))
            total = ops.sum(truth) + ops.sum(predicted)
            result[f"dice_{key.lower()}"] = ops.where(total > 0, 2 * both / ops.maximum(total, 1), 1.0)
        result["dice"] = sum(result[f"dice_{key.lower()}"] for key in self.regions) / len(self.regions)
        return result
