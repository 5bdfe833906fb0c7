"""The batches of the training loop, and training on one and on two devices."""

import contextlib
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from studies import ROOT
from trainings import train_command

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)


def test_truth_is_one_hot_over_the_classes_of_the_study():
    from glioseg.train.loop import stream
    from glioseg.train.losses import one_hot

    image = np.zeros((1, 3, 1, 1, 2), np.float32)
    mask = np.array([CLASSES.index(name) for name in ("edema", "background", "necrosis")], np.uint8)
    batch = image, mask.reshape(1, 3, 1, 1)
    model = SimpleNamespace(inputs=[image])
    ((found, truth),) = stream(lambda number: batch, 0, 1, model, ("background", "edema", "cyst"), 1)
    assert found.shape == image.shape
    assert np.asarray(truth).ravel().tolist() == [1, 0, 3]
    # A class that the study lacks is in none of the channels.
    assert np.asarray(one_hot(truth, 3, (3, 1, 1))).reshape(3, 3).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


TWO = """
import json, sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from glioseg.train.patches import load_subject
from glioseg.train.loop import train_network
from glioseg.train.progress import Training
from glioseg.train.state import Identity

settings, identity = json.loads(sys.argv[2]), Identity("x", "x")
subjects = [load_subject(Path(sys.argv[1], name)) for name in ("a", "bb", "ccc")]
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    state = Path(sys.argv[3])
    training = Training(subjects, subjects[:1], state, identity, settings, 2, lambda _: None)
    model, history = train_network(training, strategy)
    state.unlink()
    print(strategy.num_replicas_in_sync, [float(row["loss"]) for row in history], float(history[-1]["val_dice"]))
try:
    train_network(Training(subjects, [], state, identity, settings | {"batch": 3}, 2), strategy)
except ValueError as error:
    print(error)
"""


def test_two_devices_learn_what_one_learns(preprocessed, tmp_path):
    # unet has no dropout, which each device would draw separately.
    words = train_command(preprocessed, tmp_path, network="unet", batch=4, average=0.9)[2:]
    settings = {"classes": [], "filters": [], "patch": [], "losses": []}
    for name, value in zip(words[::2], words[1::2], strict=True):
        key = name[2:].replace("-", "_")
        with contextlib.suppress(json.JSONDecodeError):
            value = json.loads(value.lower() if value in ("True", "False") else value)
        if key in settings and isinstance(settings[key], list):
            settings[key].append(value)
        else:
            settings[key] = value
    settings |= {"batch_dice": False, "epochs": 2}
    done = subprocess.run(
        [sys.executable, "-c", TWO, str(preprocessed), json.dumps(settings), str(tmp_path / "state.npz")],
        capture_output=True,
        text=True,
        cwd=ROOT / "scripts",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two, message = done.stdout.splitlines()
    assert one.startswith("1 ")
    assert two.startswith("2 ")
    numbers = [json.loads(line[2 : line.index("]") + 1]) for line in (one, two)]
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-3)
    assert float(two.split()[-1]) == pytest.approx(float(one.split()[-1]), abs=0.02)
    assert message == "batch: 3 patches cannot be divided among 2 GPUs; use a multiple"


def test_versions_leave_out_a_package_that_is_not_installed(monkeypatch):
    from glioseg.train import loop

    def version(name):
        if name == "segmentation-models-3D":
            raise loop.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(loop, "version", version)
    found = loop.versions()
    assert set(found) == {"python", "tensorflow", "keras", "numpy", "nibabel", "SimpleITK"}
