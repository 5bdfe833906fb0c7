"""Losses by name, which compare the true classes with a network's outputs."""

import math
from collections.abc import Callable, Sequence

from keras import ops

from glioseg.choices import choose
from glioseg.labels import REGIONS, targets_of


def one_hot(truth, classes: int, grid: Sequence[int]):
    """One-hot encode class indices (B, X, Y, Z) of any number type as float32 (B, *grid, classes).

    Other indices become zeros. Each voxel of a coarser grid is the mean of the voxels that it covers; the factor is the
    same along each axis.
    """
    found = ops.cast(ops.cast(truth, "int32")[..., None] == ops.arange(classes), "float32")
    stride = truth.shape[1] // grid[0]
    if stride == 1:
        return found
    return ops.mean(ops.reshape(found, (-1, grid[0], stride, grid[1], stride, grid[2], stride, classes)), (2, 4, 6))


def dice_cross_entropy(classes: int, exclusive: bool, batch_dice: bool) -> Callable:
    """Soft Dice loss, mean over the targets present in the truth, plus mean cross-entropy.

    After Isensee et al. 2018, arXiv:1809.10486. A target absent from the truth counts only in the cross-entropy: a Dice
    smoothed for that case has gradients orders of magnitude larger than those of patches with the class, and a rare
    class is never learned. The loss of a batch without tumor is the cross-entropy alone. Sums are float32 under any
    precision policy.

    batch_dice: Dice is computed over all patches of the batch together, otherwise for each patch.
    exclusive: outputs are a softmax over classes, the first of which is background and has no Dice; otherwise they are
    sigmoids, each with its own cross-entropy.
    """

    def loss(truth, prediction):
        truth, prediction = ops.cast(truth, "float32"), ops.cast(prediction, "float32")
        first = 1 if exclusive else 0
        both, held, found = (_over_voxels(part)[:, first:] for part in (truth * prediction, truth, prediction))
        if batch_dice:
            both, held, found = (ops.sum(values, 0) for values in (both, held, found))
        present = ops.cast(held > 0, "float32")
        dice = 2 * both / ops.maximum(held + found, 1e-7)
        dice_loss = ops.sum(present * (1 - dice)) / ops.maximum(ops.sum(present), 1)
        bits = truth * ops.log(ops.clip(prediction, 1e-7, 1.0))
        if not exclusive:
            bits += (1 - truth) * ops.log(ops.clip(1 - prediction, 1e-7, 1.0))
        terms = ops.shape(truth)[0] * math.prod(truth.shape[1:-1]) * (1 if exclusive else truth.shape[-1])
        return dice_loss - ops.sum(_over_voxels(bits)) / ops.cast(terms, "float32")

    return loss


def _over_voxels(values):
    """Sums (B, X, Y, Z, K) -> (B, K); first over rows of Z * K, because XLA is slow along a short last axis."""
    *space, channels = values.shape[1:]
    rows = ops.sum(ops.reshape(values, (-1, math.prod(space[:-1]), space[-1] * channels)), 1)
    return ops.sum(ops.reshape(rows, (-1, space[-1], channels)), 1)


def sm_dice(classes: int, exclusive: bool, batch_dice: bool) -> Callable:
    """DiceLoss of segmentation-models-3D with the original recipe's class weights, 0.75 for a perfect prediction.

    It is always computed over the whole batch. Raises ValueError for regions.
    """
    _require_classes("sm_dice", exclusive)
    import segmentation_models_3D as sm

    return sm.losses.DiceLoss(class_weights=[0.25] * classes)


def sm_focal(classes: int, exclusive: bool, batch_dice: bool) -> Callable:
    """CategoricalFocalLoss of segmentation-models-3D with its defaults. Raises ValueError for regions."""
    _require_classes("sm_focal", exclusive)
    import segmentation_models_3D as sm

    return sm.losses.CategoricalFocalLoss()


def _require_classes(name: str, exclusive: bool) -> None:
    if not exclusive:
        raise ValueError(f"losses: {name} requires targets: classes; for targets: regions use dice_cross_entropy")


# Each function takes the number of classes, whether the outputs are exclusive classes, and batch_dice.
LOSSES = {
    "dice_cross_entropy": dice_cross_entropy,
    "sm_dice": sm_dice,
    "sm_focal": sm_focal,
}


def build_loss(names: Sequence[str], classes: Sequence[str], targets: str, batch_dice: bool) -> Callable:
    """Sum of the named losses: (one-hot classes, the network's outputs), each (batch, X, Y, Z, K) -> scalar.

    targets: "classes" or "regions", the meaning of the outputs (`labels.targets_of`). Raises ValueError for an unknown
    name, listing the known ones, and for a loss that does not support regions.
    """
    exclusive = targets == "classes"
    parts = [choose("losses", name, LOSSES)(len(classes), exclusive, batch_dice) for name in names]
    to_targets = None if exclusive else membership(classes)

    def loss(truth, prediction):
        if to_targets is not None:
            truth = ops.matmul(ops.cast(truth, "float32"), to_targets)
        return sum(part(truth, prediction) for part in parts)

    return loss


def membership(classes: Sequence[str]):
    """Matrix (classes, regions), float32: 1 if the class (row) is part of the region (column), otherwise 0."""
    regions = targets_of("regions", classes)
    rows = [[float(name in REGIONS[region]) for region in regions] for name in classes]
    return ops.convert_to_tensor(rows, "float32")
