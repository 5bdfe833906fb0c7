"""Losses by name, and the scores of learning: of the true classes and what a network makes of them."""

import math
from collections.abc import Callable, Sequence

from keras import ops

from glioseg.choices import choose
from glioseg.labels import REGIONS, targets_of


def one_hot(truth, classes: int, grid: Sequence[int]):
    """Indices of so many classes (B, X, Y, Z), any number type -> float32 (B, *grid, classes); other indices: zeros.

    On a coarser grid it is the mean of the voxels under each of its own, as many along each axis.
    """
    found = ops.cast(ops.cast(truth, "int32")[..., None] == ops.arange(classes), "float32")
    stride = truth.shape[1] // grid[0]
    if stride == 1:
        return found
    return ops.mean(ops.reshape(found, (-1, grid[0], stride, grid[1], stride, grid[2], stride, classes)), (2, 4, 6))


def dice_cross_entropy(classes: int, exclusive: bool, batch_dice: bool) -> Callable:
    """Soft Dice loss, mean over what the truth holds of the targets, plus mean cross-entropy.

    After Isensee et al. 2018, arXiv:1809.10486. A target that the truth lacks is left to the cross-entropy: in a Dice
    smoothed for that case its gradient outweighs by orders of magnitude what patches with the class can teach, and a
    rare class dies. A batch without tumor: cross-entropy alone. Sums are float32 whatever the precision policy.

    batch_dice: the Dice of a target is that of all patches of the batch together, else of each patch by itself.
    exclusive: outputs are a softmax over classes, the first of which is background and has no Dice; else sigmoids, each
    with a cross-entropy of its own.
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
    """Sums (B, X, Y, Z, K) -> (B, K): of rows of Z * K first, for along a short last axis XLA is slow."""
    *space, channels = values.shape[1:]
    rows = ops.sum(ops.reshape(values, (-1, math.prod(space[:-1]), space[-1] * channels)), 1)
    return ops.sum(ops.reshape(rows, (-1, space[-1], channels)), 1)


def sm_dice(classes: int, exclusive: bool, batch_dice: bool) -> Callable:
    """segmentation-models-3D's DiceLoss with the original recipe's class weights: a perfect prediction has 0.75.

    It is always that of the whole batch. Raises ValueError for regions.
    """
    _insist_on_classes("sm_dice", exclusive)
    import segmentation_models_3D as sm

    return sm.losses.DiceLoss(class_weights=[0.25] * classes)


def sm_focal(classes: int, exclusive: bool, batch_dice: bool) -> Callable:
    """segmentation-models-3D's CategoricalFocalLoss, as it comes. Raises ValueError for regions."""
    _insist_on_classes("sm_focal", exclusive)
    import segmentation_models_3D as sm

    return sm.losses.CategoricalFocalLoss()


def _insist_on_classes(name: str, exclusive: bool) -> None:
    if not exclusive:
        raise ValueError(f"losses: {name} takes exclusive classes; with targets: regions take dice_cross_entropy")


# Each takes the number of outputs, whether they are exclusive classes, and batch_dice.
LOSSES = {
    "dice_cross_entropy": dice_cross_entropy,
    "sm_dice": sm_dice,
    "sm_focal": sm_focal,
}


def build_loss(names: Sequence[str], classes: Sequence[str], targets: str, batch_dice: bool) -> Callable:
    """The sum of the losses of those names: (one-hot classes, the network's outputs), (batch, X, Y, Z, K) -> scalar.

    targets: "classes" or "regions", what the outputs are (`labels.targets_of`). Raises ValueError naming the known
    losses, or for one that takes no regions.
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
    """Which class (row) is part of which region (column): (classes, regions) float32, 0 or 1."""
    regions = targets_of("regions", classes)
    rows = [[float(name in REGIONS[region]) for region in regions] for name in classes]
    return ops.convert_to_tensor(rows, "float32")
