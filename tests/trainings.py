"""Helpers for the tests of training: subjects, the command with its options, and trained weights."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
from pictures import keras_file, small_unet
from studies import ROOT

from glioseg.files import write_table
from glioseg.train.patches import Subject


def subject(name="s", shape=(20, 24, 18), channels=2):
    """A subject of noise with a tumor of two tissues; the length of the name is the seed."""
    random = np.random.default_rng(len(name))
    mask = np.zeros(shape, np.uint8)
    mask[5:12, 6:13, 4:11] = 2
    mask[7:10, 8:11, 6:9] = 3
    image = random.normal(size=(*shape, channels)).astype(np.float16)
    return Subject(name, image, mask, (np.flatnonzero(mask == 2), np.flatnonzero(mask == 3)))


def write_preprocessed(folder):
    """Write the files of preprocess and split for four subjects: a, bb, ccc for training, dddd held out."""
    for name in ("a", "bb", "ccc", "dddd"):
        one = subject(name)
        (folder / name).mkdir()
        np.save(folder / name / "image.npy", one.image)
        np.save(folder / name / "mask.npy", one.mask)
        (folder / name / "scan.json").write_text(json.dumps({"subject": name, "hashes": {"flair": f"hash of {name}"}}))
    rows = [
        {"subject": name, "verdict": "included", "fold": fold, "has_mask": "yes"}
        for name, fold in zip(("a", "bb", "ccc", "dddd"), ("train",) * 3 + ("test",), strict=True)
    ]
    write_table(folder / "cohort.tsv", ["subject", "verdict", "fold", "has_mask"], rows)
    return folder


def train_command(data, output, **changes):
    """The command that runs scripts/train.py on such a folder with the smallest network."""
    options = {
        "fold": "all", "cohort": data / "cohort.tsv", "preprocess": data,
        "classes": ("background", "necrosis", "edema", "enhancing"), "network": "original", "filters": (4, 8),
        "backbone": "resnet18", "normalization": "instance", "deep-supervision": False, "patch": (16, 16, 16),
        "batch": 1, "small-patches": 0, "epochs": 6, "steps-per-epoch": 3, "max-minutes": 0, "patience": 0,
        "targets": "classes",
        "losses": ("dice_cross_entropy",), "batch-dice": True, "optimizer": "adamw", "learning-rate": 0.01,
        "schedule": "cosine", "warmup-steps": 2, "clip-norm": 1, "average": 0, "foreground": 0.5, "implant": 0,
        "augmentation": "standard", "flip": 0.5, "scale": 0.2, "rotation": 10, "elastic": 1, "gain": 0.1,
        "brightness": 0.1, "gamma": 0.1, "blur": 0.5, "coarse": 1.5, "noise": "auto",
        "modality-dropout": 0, "precision": "float32", "validation-subjects": 1, "validation-every": 2,
        "contrast": "scan", "start": "", "start-learning-rate": 0.003, "freeze-encoder": False, "seed": 3,
        "threads": 2, "study": "{}", "code": "1", "state": output / "state.npz", "output": output,
    } | changes  # fmt: skip
    words = [sys.executable, str(ROOT / "scripts/train.py")]
    for name, value in options.items():
        for item in value if isinstance(value, tuple) else (value,):
            words += [f"--{name}", str(item)]
    return words


def end_after(epoch, command, number=signal.SIGKILL):
    """Send a signal to a training just after an epoch; returns its return code and standard error."""
    process = subprocess.Popen(
        [command[0], "-u", *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith(f"epoch {epoch}/"):
            break
    time.sleep(0.05)
    process.send_signal(number)
    errors = process.communicate()[1]
    return process.returncode, errors


def weights(path):
    """All weight arrays of a trained network."""
    import keras

    return [np.asarray(value) for value in keras.saving.load_model(path, compile=False).get_weights()]


def model_of(folder, size=32, **facts):
    """Write a small network that has no weights, and settings.json with these facts beside it."""
    folder.mkdir()
    settings = {"settings": {"classes": ["background", "edema"]}, **facts}
    (folder / "settings.json").write_text(json.dumps(settings))
    layers = [list(layer) for layer in small_unet(size)]
    layers[0][2] = {"batch_shape": layers[0][4]}
    return keras_file(folder / "model.keras", layers, [[layers[-1][1], 0, 0]])
