"""The batches of the training loop, and training on one and on two devices."""

import contextlib
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from studies import ROOT
from trainings import subject, train_command

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)
from glioseg.train.settings import AUGMENTATIONS, with_augmentation


def test_truth_is_one_hot_over_the_classes_of_the_study():
    from glioseg.train.loop import stream
    from glioseg.train.losses import one_hot

    image = np.zeros((1, 3, 1, 1, 2), np.float32)
    mask = np.array([CLASSES.index(name) for name in ("edema", "background", "necrosis")], np.uint8)
    batch = image, mask.reshape(1, 3, 1, 1)
    model = SimpleNamespace(inputs=[image])
    data = stream(lambda number: batch, 0, 1, model, ("background", "edema", "cyst"), 1)
    # The end of a training would wait for the tuner's sleep.
    assert not data.options().autotune.enabled
    ((found, truth),) = data
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


def settings_of(command):
    """The settings of a training, from the words of its command."""
    words = command[2:]
    settings = {"classes": [], "filters": [], "patch": [], "losses": [], "scale": [], "gamma": []}
    for name, value in zip(words[::2], words[1::2], strict=True):
        key = name[2:].replace("-", "_")
        with contextlib.suppress(json.JSONDecodeError):
            value = json.loads(value.lower() if value in ("True", "False") else value)
        if key in settings and isinstance(settings[key], list):
            settings[key].append(value)
        else:
            settings[key] = value
    return with_augmentation(settings)


def test_two_devices_learn_what_one_learns(preprocessed, tmp_path):
    # unet has no dropout, which each device would draw separately.
    settings = settings_of(train_command(preprocessed, tmp_path, network="unet", batch=4, average=0.9))
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


def test_settled_statistics_are_the_mean_over_batches_and_not_those_of_older_weights():
    import keras

    from glioseg.train.loop import settle
    from glioseg.train.networks import build_network

    network = build_network("unet_full", (16, 16, 16), 2, 4, (4, 8), "", "batch")
    convolution, norm = network.layers[1:3]
    assert isinstance(norm, keras.layers.BatchNormalization)
    norm.moving_mean.assign([1e6] * 4)
    random = np.random.default_rng(0)
    batches = [random.normal(number, 1, (2, 16, 16, 16, 2)).astype(np.float32) for number in range(5)]
    seen = [np.asarray(convolution(images)) for images in batches]
    settle(network, iter(batches))
    axes = (0, 1, 2, 3)
    assert norm.moving_mean.numpy() == pytest.approx(np.mean([found.mean(axes) for found in seen], 0), rel=1e-4)
    assert norm.moving_variance.numpy() == pytest.approx(np.mean([found.var(axes) for found in seen], 0), rel=1e-4)
    # Training goes on as before, and a frozen layer keeps its statistics.
    assert norm.momentum == 0.9
    norm.trainable = False
    kept = norm.moving_mean.numpy()
    settle(network, iter(batches[:1]))
    assert (norm.moving_mean.numpy() == kept).all()
    # Nothing is computed for a network without such layers.
    settle(build_network("unet_full", (16, 16, 16), 2, 4, (4, 8), ""), iter([None]))


def test_versions_leave_out_a_package_that_is_not_installed(monkeypatch):
    from glioseg.train import loop

    def version(name):
        if name == "segmentation-models-3D":
            raise loop.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(loop, "version", version)
    found = loop.versions()
    assert set(found) == {"python", "tensorflow", "keras", "numpy", "nibabel", "SimpleITK"}


def test_a_step_waits_from_its_begin_until_its_batch_is_ready():
    from glioseg.train.progress import Waiting

    now = [0.0]
    waiting = Waiting(lambda: now[0])

    def at(seconds, function, *arguments):
        now[0] = seconds
        function(*arguments)

    # The first step is compiled while its batch is made.
    at(1, waiting.begin)
    at(4, waiting.batch_is_ready, 0)
    at(5, waiting.batch_is_ready, 1)
    at(9, waiting.end, 0)
    # The second batch is ready before its step begins, the third two seconds later.
    at(10, waiting.begin)
    at(12, waiting.end, 1)
    assert waiting.seconds == 0
    at(13, waiting.begin)
    at(15, waiting.batch_is_ready, 2)
    at(20, waiting.end, 2)
    assert waiting.seconds == 2
    # A batch that was made before a training was interrupted.
    at(21, waiting.begin)
    at(22, waiting.end, 3)
    assert waiting.seconds == 2
    assert waiting.ready == {}


def test_small_patches_come_first_and_train_the_same_weights(tmp_path, monkeypatch):
    import tensorflow as tf

    from glioseg.train import loop
    from glioseg.train.progress import Training
    from glioseg.train.state import Identity

    settings = settings_of(train_command(tmp_path, tmp_path, network="unet", **{"small-patches": 0.5, "epochs": 2}))
    shapes, batch = [], loop.training_batch

    def noted(subjects, step, stage):
        images, masks = batch(subjects, step, stage)
        shapes.append((int(step), images.shape[:4]))
        return images, masks

    monkeypatch.setattr(loop, "training_batch", noted)
    monkeypatch.setattr(loop, "settle", lambda *_: None)
    training = Training([subject()], [], tmp_path / "state.npz", Identity("x", "x"), settings, 1, lambda _: None)
    network, history = loop.train_network(training, tf.distribute.get_strategy())
    # None is prepared that no step takes.
    assert shapes == [(step, (8, 8, 8, 8)) for step in (0, 1, 2)] + [(step, (1, 16, 16, 16)) for step in (3, 4, 5)]
    assert len(history) == 2
    assert network.input_shape[1:4] == (16, 16, 16)


SLOW = """
import json, sys, time
import tensorflow as tf
from pathlib import Path
from glioseg.train import loop
from glioseg.train.patches import load_subject
from glioseg.train.progress import Training
from glioseg.train.state import Identity

settings, identity = json.loads(sys.argv[2]), Identity("x", "x")
subjects, prompt = [load_subject(Path(sys.argv[1], "a"))], loop.training_batch
for seconds in (0, 0.5):
    def slow(*arguments):
        time.sleep(seconds)
        return prompt(*arguments)

    loop.training_batch = slow
    training = Training(subjects, [], Path(sys.argv[3]), identity, settings, 1)
    loop.train_network(training, tf.distribute.get_strategy())
    Path(sys.argv[3]).unlink()
"""


def test_a_training_says_for_how_long_it_waits_for_data(preprocessed, tmp_path):
    # Without rotation, because its compilation takes longer than these steps.
    settings = settings_of(train_command(preprocessed, tmp_path, epochs=2)) | AUGMENTATIONS["none"]
    done = subprocess.run(
        [sys.executable, "-c", SLOW, str(preprocessed), json.dumps(settings), str(tmp_path / "state.npz")],
        capture_output=True, text=True, cwd=ROOT / "scripts",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shares = [int(found) for found in re.findall(r"\((\d+)% waiting for data\)", done.stdout)]
    prompt, slow = shares[1], shares[3]
    assert prompt < 50 < slow <= 100, shares
