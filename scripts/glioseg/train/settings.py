"""The settings of a training, as passed to the command train and stored in settings.json."""

from collections.abc import Mapping
from typing import TypedDict

from glioseg.choices import choose

# The sets of changes to training patches, by name; augment.draw_augmentation describes each of them. "strong" follows
# the winner of BraTS 2020 (nnUNetTrainerV2BraTSRegions_moreDA, Isensee et al. 2020, arXiv:2011.00848). Gain, brightness
# and noise change more patches here than there, so their ranges are smaller, with the same mean square over all
# patches: there, a brightness of standard deviation 0.2 is added to 30 % of them.
AUGMENTATIONS = {
    "none": {
        "flip": 0.0, "scale": (0.0,), "rotation": 0.0, "elastic": 0.0, "gain": 0.0, "brightness": 0.0, "gamma": (0.0,),
        "blur": 0.0, "coarse": 1.0, "noise": 0.0,
    },
    "standard": {
        "flip": 0.5, "scale": (0.2,), "rotation": 15.0, "elastic": 0.0, "gain": 0.15, "brightness": 0.15,
        "gamma": (0.15,), "blur": 0.0, "coarse": 1.0, "noise": 0.1,
    },
    "strong": {
        "flip": 0.5, "scale": (0.65, 1.6), "rotation": 90.0, "elastic": 6.0, "gain": 0.15, "brightness": 0.2,
        "gamma": (0.5, 1.6), "blur": 1.0, "coarse": 2.0, "noise": 0.2,
    },
}  # fmt: skip
RANGES = ("scale", "gamma")
AUTO = ("auto", ("auto",))


class TrainSettings(TypedDict):
    """The section `train` of the configuration, with the study's seed and tissue classes.

    start is the SHA-256 of the model that the training goes on from, or "". learning_rate is then start_learning_rate.
    filters, patch and batch are numbers after `plan.plan` has replaced "auto"; precision is a Keras policy. config.yaml
    describes each setting. The changes of `augmentation` are in the place of its name (`with_augmentation`).
    """

    network: str
    filters: tuple[int, ...]
    backbone: str
    normalization: str
    targets: str
    deep_supervision: bool
    patch: tuple[int, int, int]
    batch: int
    small_patches: float
    epochs: int
    steps_per_epoch: int
    max_minutes: float
    patience: int
    losses: tuple[str, ...]
    batch_dice: bool
    optimizer: str
    learning_rate: float
    schedule: str
    warmup_steps: int
    clip_norm: float
    average: float
    foreground: float
    implant: float
    contrast: str
    flip: float
    scale: tuple[float, ...]
    rotation: float
    elastic: float
    gain: float
    brightness: float
    gamma: tuple[float, ...]
    blur: float
    coarse: float
    noise: float
    modality_dropout: float
    precision: str
    validation_subjects: int
    validation_every: int
    start: str
    freeze_encoder: bool
    seed: int
    classes: tuple[str, ...]


def with_augmentation(settings: Mapping) -> dict:
    """Return the settings with numbers for each change to training patches, in the place of `augmentation`.

    A change that is "auto" gets its value in the set that `augmentation` names. Raises ValueError for an unknown set,
    and for a range that is not one number, or a smallest factor of at most 1 and a largest of at least 1.
    """
    values = choose("augmentation", settings["augmentation"], AUGMENTATIONS)
    changes = {name: value if settings[name] in AUTO else settings[name] for name, value in values.items()}
    for name in RANGES:
        if len(changes[name]) > 2 or (len(changes[name]) == 2 and not 0 < changes[name][0] <= 1 <= changes[name][1]):
            raise ValueError(
                f"{name}: expected one number, or a smallest factor of at most 1 and a largest of at least 1, found "
                f"{', '.join(map(str, changes[name]))}"
            )
    return {name: value for name, value in settings.items() if name != "augmentation"} | changes
