"""The learning rate of each step, and the stages and the end of a training: from steps, minutes and the loss so far."""

import math

from glioseg.train.settings import TrainSettings

SCHEDULES = ("cosine", "constant")
# Weight of the past in the moving average of the loss for early stopping, as in nnU-Net's first version (Isensee et al.
# 2021, doi:10.1038/s41592-020-01008-z).
MEMORY = 0.9


def rate(step: int, elapsed_seconds: float, settings: TrainSettings) -> float:
    """Learning rate of a step, counted from 0: constant, or a linear rise over warmup_steps and then a cosine to 0.

    settings: schedule, learning_rate, warmup_steps, epochs, steps_per_epoch, max_minutes. The cosine ends with the last
    step, or with max_minutes (0: no limit) if that is earlier. The rise takes at most half of the steps.
    """
    highest, steps = settings["learning_rate"], settings["epochs"] * settings["steps_per_epoch"]
    if settings["schedule"] == "constant":
        return highest
    warmup = min(settings["warmup_steps"], steps // 2)
    if step < warmup:
        return highest * step / warmup
    progress = (step - warmup) / max(steps - warmup, 1)
    if settings["max_minutes"]:
        progress = max(progress, elapsed_seconds / (60 * settings["max_minutes"]))
    return highest * (1 + math.cos(math.pi * min(progress, 1))) / 2


def stages(settings: TrainSettings) -> list[TrainSettings]:
    """The settings of the stages of a training: the last has those of the training, the first, if any, small patches.

    Small patches have half of the length along each axis, and as many voxels in all patches of a step.
    """
    if not settings["small_patches"]:
        return [settings]
    halves = tuple(side // 2 for side in settings["patch"])
    return [{**settings, "patch": halves, "batch": 8 * settings["batch"]}, settings]


def stage_of(history: list[dict], settings: TrainSettings) -> int:
    """Index of the stage of the epoch after this history, whose rows have seconds.

    settings: small_patches (share of the epochs, or of max_minutes, in which patches are small), epochs, max_minutes.
    """
    done = len(history) / settings["epochs"]
    if settings["max_minutes"]:
        done = max(done, seconds_spent(history) / (60 * settings["max_minutes"]))
    return len(stages(settings)) - 1 if settings["small_patches"] <= done else 0


def stage_end(stage: int, settings: TrainSettings) -> int:
    """Number of epochs after which a stage, by its index, has ended; with max_minutes it may end earlier."""
    last = stage == len(stages(settings)) - 1
    return settings["epochs"] if last else math.ceil(settings["small_patches"] * settings["epochs"])


def finished(history: list[dict], settings: TrainSettings) -> bool:
    """Whether a training with this history (rows with loss and seconds) is finished.

    settings: epochs, max_minutes (0: no limit), patience (epochs without a lower moving average of the training loss;
    0: no limit). Validation scores have no influence.
    """
    if len(history) >= settings["epochs"]:
        return True
    if settings["max_minutes"] and seconds_spent(history) >= 60 * settings["max_minutes"]:
        return True
    return (
        bool(settings["patience"]) and stalled_epochs([float(row["loss"]) for row in history]) >= settings["patience"]
    )


def seconds_spent(history: list[dict]) -> float:
    """Seconds that the epochs of a history took in total."""
    return sum(float(row["seconds"]) for row in history)


def stalled_epochs(losses: list[float]) -> int:
    """Number of epochs since the moving average of the losses was lowest; 0 for no epochs."""
    lowest, since, mean = math.inf, 0, None
    for loss in losses:
        mean = loss if mean is None else MEMORY * mean + (1 - MEMORY) * loss
        lowest, since = (mean, 0) if mean < lowest else (lowest, since + 1)
    return since
