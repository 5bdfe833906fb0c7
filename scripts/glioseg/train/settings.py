"""The settings of a training, as passed to the command train and stored in settings.json."""

from typing import TypedDict


class TrainSettings(TypedDict):
    """The section `train` of the configuration, with the study's seed and tissue classes.

    start is the SHA-256 of the model that the training goes on from, or "". learning_rate is then start_learning_rate.
    filters, patch and batch are numbers after `plan.plan` has replaced "auto"; precision is a Keras policy. config.yaml
    describes each setting.
    """

    network: str
    filters: tuple[int, ...]
    backbone: str
    normalization: str
    targets: str
    deep_supervision: bool
    patch: tuple[int, int, int]
    batch: int
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
    contrast: str
    flip: float
    scale: float
    rotation: float
    elastic: float
    intensity: float
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
