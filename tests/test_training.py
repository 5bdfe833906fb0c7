"""Losses over regions, averaged weights, schedules that end with the time, several devices."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from trainings import end_after, train_command, weights

from glioseg.labels import CLASSES, targets_of
from glioseg.train.schedule import finished, rate, stalled_epochs

SETTINGS = {
    "schedule": "cosine", "learning_rate": 0.1, "warmup_steps": 10, "epochs": 11, "steps_per_epoch": 10,
    "max_minutes": 0, "patience": 0,
}  # fmt: skip


def test_the_rate_rises_and_falls_with_steps_or_with_time():
    assert [rate(step, 0, SETTINGS) for step in (0, 5, 10)] == pytest.approx([0, 0.05, 0.1])
    assert rate(60, 0, SETTINGS) == pytest.approx(0.05)
    assert rate(110, 0, SETTINGS) == pytest.approx(0, abs=1e-12)
    assert rate(60, 0, SETTINGS | {"schedule": "constant"}) == 0.1
    timed = SETTINGS | {"max_minutes": 10, "epochs": 1000}
    assert rate(20, 300, timed) == pytest.approx(0.05, rel=0.01)
    assert rate(20, 600, timed) == pytest.approx(0, abs=1e-12)
    assert rate(20, 700, timed) == pytest.approx(0, abs=1e-12)
    assert rate(9000, 1, timed) == pytest.approx(rate(9000, 1, timed | {"max_minutes": 0}))


def test_a_training_is_finished_by_epochs_minutes_or_a_loss_that_stays():
    rows = [{"loss": "1.0", "seconds": "30.0"}] * 10
    assert not finished(rows, SETTINGS)
    assert finished([*rows, rows[0]], SETTINGS)
    assert finished(rows, SETTINGS | {"max_minutes": 5})
    assert not finished(rows, SETTINGS | {"max_minutes": 5.1})
    assert finished(rows, SETTINGS | {"patience": 9})
    assert not finished(rows, SETTINGS | {"patience": 10})
    assert stalled_epochs([]) == 0
    assert stalled_epochs([3, 2, 1]) == 0
    # Means: 1, 1.1, 1.09, 1.081, …: it takes the mean a while to come down from one bad epoch.
    assert stalled_epochs([1, 2, 1, 1]) == 3


def test_targets_by_name():
    assert targets_of("classes", CLASSES[:4]) == CLASSES[:4]
    assert targets_of("regions", CLASSES[:4]) == ("WT", "TC", "ET")
    assert targets_of("regions", CLASSES[:5]) == ("WT", "TC", "ET", "RC")
    with pytest.raises(ValueError, match="cannot tell a cyst from necrosis"):
        targets_of("regions", CLASSES)
    with pytest.raises(ValueError, match="targets: 'tissues' is not known; known are classes, regions"):
        targets_of("tissues", CLASSES)


def test_region_loss_by_hand():
    from glioseg.train.losses import build_loss

    # Two patches of four voxels: one with a voxel of each class, one without tumor.
    truth = np.zeros((2, 4, 1, 1, 4), np.float32)
    truth[0, range(4), 0, 0, range(4)] = 1
    truth[1, ..., 0] = 1
    half = np.full((2, 4, 1, 1, 3), 0.5, np.float32)
    # Per region: truth has 3, 2, 1 voxels, prediction sums to 4 (both patches) or to 2 (the first).
    both = [2 * 0.5 * held / (held + 4) for held in (3, 2, 1)]
    expected = 1 - np.mean(both) + np.log(2)
    names, classes = ["dice_cross_entropy"], CLASSES[:4]
    assert float(build_loss(names, classes, "regions", True)(truth, half)) == pytest.approx(expected, rel=1e-5)
    first = [2 * 0.5 * held / (held + 2) for held in (3, 2, 1)]
    expected = 1 - np.mean(first) + np.log(2)
    assert float(build_loss(names, classes, "regions", False)(truth, half)) == pytest.approx(expected, rel=1e-5)
    perfect = np.zeros((2, 4, 1, 1, 3), np.float32)
    perfect[0, 1:, 0, 0] = [[1, 1, 0], [1, 0, 0], [1, 1, 1]]  # necrosis, edema, enhancing
    assert float(build_loss(names, classes, "regions", True)(truth, perfect)) == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="sm_dice takes exclusive classes"):
        build_loss(["sm_dice"], classes, "regions", True)


def test_scores_of_regions_are_those_of_their_classes():
    from glioseg.train.losses import membership
    from glioseg.train.scores import Scores, exclusive_classes

    classes = CLASSES[:5]
    random = np.random.default_rng(0)
    indices = random.integers(0, 5, (2, 3, 4, 5))
    truth = np.eye(5, dtype=np.float32)[indices]
    regions = truth @ np.asarray(membership(classes))
    assert (np.asarray(exclusive_classes(regions * 0.4 + 0.2, classes)) == indices).all()
    scores = Scores(classes, "regions")
    scores.update_state(indices, regions)
    result = {name: float(value) for name, value in scores.result().items()}
    assert result["dice"] == result["accuracy"] == pytest.approx(1)
    exclusive = Scores(classes, "classes")
    exclusive.update_state(indices, truth)
    assert {name: float(value) for name, value in exclusive.result().items()} == pytest.approx(result)


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_regions_with_averaged_weights_survive_a_kill(preprocessed, tmp_path):
    changes = {"targets": "regions", "average": 0.9, "batch-dice": False, "batch": 2}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    done = run(train_command(preprocessed, whole, **changes))
    assert done.returncode == 0, done.stderr
    command = train_command(preprocessed, cut, **changes)
    end_after(3, command)
    assert run(command).returncode == 0
    for one, two in zip(weights(whole / "model.keras"), weights(cut / "model.keras"), strict=True):
        assert one.tobytes() == two.tobytes()
    import keras

    model = keras.saving.load_model(whole / "model.keras", compile=False)
    assert model.output_shape[-1] == 3
    assert model.layers[-1].name == "sigmoid"
    # Without the average the same steps end elsewhere.
    last = tmp_path / "last"
    assert run(train_command(preprocessed, last, **changes | {"average": 0})).returncode == 0
    assert any(
        (one != two).any()
        for one, two in zip(weights(whole / "model.keras"), weights(last / "model.keras"), strict=True)
    )


def test_the_time_ends_a_training(preprocessed, tmp_path):
    done = run(train_command(preprocessed, tmp_path, epochs=100000, **{"max-minutes": 0.15, "monitor-every": 50000}))
    assert done.returncode == 0, done.stderr
    rows = [line.split(",") for line in (tmp_path / "history.csv").read_text().splitlines()]
    seconds = sum(float(row[1]) for row in rows[1:])
    assert 8.5 < seconds < 14
    assert float(rows[-1][2]) < 0.001  # the rate came down with the time
    assert rows[-1][-1]  # the last epoch is monitored, wherever it ends
    assert "training ended after epoch" in done.stdout


TWO = """
import json, sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from glioseg.train.patches import load_subject
from glioseg.train.loop import train_network

settings = json.loads(sys.argv[2])
subjects = [load_subject(Path(sys.argv[1], name)) for name in ("a", "bb", "ccc")]
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    state = Path(sys.argv[3])
    model, history = train_network(subjects, subjects[:1], state, "x", settings, strategy, 2, lambda _: None)
    state.unlink()
    print(strategy.num_replicas_in_sync, [float(row["loss"]) for row in history], float(history[-1]["val_dice"]))
try:
    train_network(subjects, [], state, "x", settings | {"batch": 3}, strategy, 2)
except ValueError as error:
    print(error)
"""


def test_two_devices_learn_what_one_learns(preprocessed, tmp_path):
    # Without dropout, which each device draws by itself.
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
        cwd=Path(__file__).resolve().parent.parent / "scripts",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two, refusal = done.stdout.splitlines()
    assert one.startswith("1 ")
    assert two.startswith("2 ")
    numbers = [json.loads(line[2 : line.index("]") + 1]) for line in (one, two)]
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-3)
    assert float(two.split()[-1]) == pytest.approx(float(one.split()[-1]), abs=0.02)
    assert refusal == "batch: 3 patches can't be shared by 2 GPUs; take a multiple"
