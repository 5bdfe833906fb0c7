"""Learn where the brain is, from whole heads of phantoms with random contrasts.

Networks trained on synthetic heads strip the skull of scans of any contrast (SynthStrip, Hoopes et al. 2022,
doi:10.1016/j.neuroimage.2022.119474).
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from glioseg.synthesize.head_worlds import VOXEL_MM, head_world
from glioseg.train.device import choose_strategy
from glioseg.train.loop import train_network
from glioseg.train.patches import Subject
from glioseg.train.progress import Training
from glioseg.train.settings import AUGMENTATIONS, TrainSettings
from glioseg.train.state import identify

CLASSES = ("background", "brain")
# A patch shows a head of 240 x 288 x 288 mm.
SETTINGS = {
    "network": "unet", "filters": (12, 24, 48, 64), "backbone": "", "normalization": "instance", "targets": "classes",
    "deep_supervision": False, "patch": (80, 96, 96), "batch": 1, "small_patches": 0, "max_minutes": 0, "patience": 0,
    "losses": ("dice_cross_entropy",), "batch_dice": True, "optimizer": "adamw", "learning_rate": 0.002,
    "schedule": "cosine", "warmup_steps": 20, "clip_norm": 1.0, "average": 0.99, "foreground": 0, "implant": 0,
    "contrast": "random", **AUGMENTATIONS["none"], "scale": (0.15,), "rotation": 25.0, "elastic": 2.0,
    "modality_dropout": 0, "precision": "float32", "validation_subjects": 0, "validation_every": 1, "start": "",
    "freeze_encoder": False, "classes": CLASSES, "steps_per_epoch": 50,
}  # fmt: skip


def learn_brains(
    count: int, epochs: int, seed: int, workers: int, state: Path, say: Callable[[str], object]
) -> tuple[keras.Model, dict]:
    """Train a network on so many heads, and return it with its settings.

    It takes an image (X, Y, Z, 1) of voxels of `VOXEL_MM`, as `head_worlds.normalized`, and gives the probabilities of
    `CLASSES`. It goes on from the state, if that is of the same training.
    """
    settings: TrainSettings = {**SETTINGS, "epochs": epochs, "seed": seed}
    subjects = [_subject(number, seed) for number in range(1, count + 1)]
    say(f"{count} heads with voxels of {VOXEL_MM} mm")
    training = Training(subjects, [], state, identify(settings, [str(count)]), settings, workers, say)
    network, _ = train_network(training, choose_strategy())
    return network, settings


def _subject(number: int, seed: int) -> Subject:
    world, brain = head_world(number, seed)
    image = np.zeros((*brain.shape, 1), np.float16)
    return Subject(f"head_{number:03}", image, brain.astype(np.uint8), (), world)
