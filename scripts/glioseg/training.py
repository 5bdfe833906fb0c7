"""Training that can be killed at any moment: one fold's network, from subjects to a model and its history."""

import csv
import hashlib
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from glioseg.batches import Subject, batch_subjects, monitor_batch, training_batch
from glioseg.interruption import Interrupted, Noted, noted_signals
from glioseg.labels import CLASSES, EVERYWHERE
from glioseg.losses import Scores, build_loss
from glioseg.networks import build_network
from glioseg.outputs import whole
from glioseg.supervision import supervise

OPTIMIZERS = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
SCHEDULES = ("cosine", "constant")
SCORES = ("loss", "accuracy", "iou", "dice", *(f"dice_{region.lower()}" for region in EVERYWHERE))
COLUMNS = ["epoch", "seconds", "learning_rate", *SCORES, *(f"val_{name}" for name in SCORES)]


def build_schedule(name: str, learning_rate: float, warmup: int, steps: int):
    """Learning rate by step: constant, or a linear rise over `warmup` steps and then a cosine down to 0 at the last."""
    if name not in SCHEDULES:
        raise ValueError(f"schedule: {name!r} is not known; known are {', '.join(SCHEDULES)}")
    if name == "constant":
        return learning_rate
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warmup, 1), warmup_target=learning_rate, warmup_steps=max(warmup, 1)
    )


def build_model(channels: int, settings: dict) -> keras.Model:
    """The network of the settings, compiled: loss, optimizer, schedule and scores. Its first output segments."""
    if settings["optimizer"] not in OPTIMIZERS:
        raise ValueError(f"optimizer: {settings['optimizer']!r} is not known; known are {', '.join(OPTIMIZERS)}")
    classes = settings["classes"]
    model = build_network(
        settings["network"], settings["patch"], channels, len(classes), settings["filters"], settings["backbone"]
    )
    if settings["deep_supervision"]:
        model = supervise(model)
    schedule = build_schedule(
        settings["schedule"],
        settings["learning_rate"],
        settings["warmup_steps"],
        settings["epochs"] * settings["steps_per_epoch"],
    )
    optimizer = OPTIMIZERS[settings["optimizer"]](schedule, global_clipnorm=settings["clip_norm"] or None)
    model.compile(optimizer, build_loss(settings["losses"], len(classes)), metrics=[Scores(classes)])
    return model


def train_network(
    subjects: list[Subject], monitored: list[Subject], state: Path, identity: str, settings: dict, say=print
) -> tuple[keras.Model, list[dict]]:
    """Train one network to its last epoch, continuing from the file `state` where that has the same `identity`.

    Each batch is decided by seed and step, so weights, optimizer and epoch are all the state there is, and a run killed
    and continued ends with the weights of one left alone. Returns the model of the last epoch and a row per epoch
    (`COLUMNS`). Raises ValueError for a setting by an unknown name, FloatingPointError where the loss is not finite,
    and Interrupted where a signal came (`noted_signals`): the state is then that of the last step, in mid-epoch.
    """
    keras.utils.set_random_seed(settings["seed"])
    model = build_model(subjects[0].image.shape[-1], settings)
    model.optimizer.build(model.trainable_variables)
    history, into, sums = _restore(model, state, identity, say)
    done = len(history)
    if done == settings["epochs"]:
        return _segmenter(model), history
    steps = settings["steps_per_epoch"]
    monitor = None
    if monitored:
        batches = [monitor_batch(subject, settings["patch"]) for subject in monitored]
        monitor = _stream(lambda index: batches[index], 0, len(batches), model, settings["classes"])
    # An epoch that a signal cut is a stretch of its own, of the steps that it lacks.
    stretches = [(done, done + 1, into), (done + 1, settings["epochs"], 0)] if into else [(done, settings["epochs"], 0)]
    with noted_signals() as noted:

        def names(step):
            return sorted({subject.name for _, subject in batch_subjects(subjects, step, settings)})

        progress = _Progress(history, state, identity, settings, say, noted, names)
        for first, last, into in stretches:
            if first == last:
                continue
            data = _stream(
                lambda step: training_batch(subjects, step, settings),
                first * steps + into,
                last * steps,
                model,
                settings["classes"],
            )
            progress.continue_epoch(into, sums)
            if into:
                # Only with a first batch does Keras make the variables of the metrics, which are to go on.
                model.evaluate(data.take(1), verbose=0)
            model.fit(
                data,
                initial_epoch=first,
                epochs=last,
                steps_per_epoch=steps - into,
                validation_data=monitor,
                validation_freq=[
                    *range(settings["monitor_every"], settings["epochs"], settings["monitor_every"]),
                    settings["epochs"],
                ],
                callbacks=[progress],
                shuffle=False,
                verbose=0,
            )
    return _segmenter(model), history


def _segmenter(model: keras.Model) -> keras.Model:
    """The network without the outputs that were there to supervise it."""
    return keras.Model(model.input, model.outputs[0], name=model.name)


def identify(settings: dict, contents: list[str]) -> str:
    """A hash of the settings and of what else matters (code, subjects): a state of another one is not continued."""
    return hashlib.sha256(json.dumps([settings, contents], sort_keys=True).encode()).hexdigest()


def write_history(path: Path, history: list[dict]) -> None:
    """Write one row per epoch as CSV; a cell is empty where an epoch was not monitored."""
    with whole(path) as partial, partial.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


class _Progress(keras.callbacks.Callback):
    """After each epoch: a row of history, the state on disk, and a line with loss, Dice and the time left."""

    def __init__(self, history, state, identity, settings, say, noted: Noted, names):
        super().__init__()
        self.history, self.state, self.identity, self.say, self.noted = history, state, identity, say, noted
        self.epochs, self.steps, self.names = settings["epochs"], settings["steps_per_epoch"], names
        self.first, self.started = len(history), time.monotonic()

    def continue_epoch(self, into, sums):
        """The next epoch begins after its first `into` steps, whose metrics add up to `sums`."""
        self.into, self.sums = into, sums if into else []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch_started = time.monotonic()
        if self.sums:  # Keras has just set them to nothing
            for variable, value in zip(self.model.metrics_variables, self.sums, strict=True):
                variable.assign(value)

    def on_train_batch_end(self, batch, logs=None):
        epoch, step = len(self.history), self.into + batch
        if not np.isfinite(logs["loss"]):
            self._stop_at(epoch, step, f"the loss became {logs['loss']}")
        if self.noted.name:
            _save(self.model, self.state, self.identity, self.history, step + 1)
            raise Interrupted(
                f"{self.noted.name} ended the training in epoch {epoch + 1}, after step {step + 1} of {self.steps}; "
                f"{self.state} holds its state: run again and it continues from there"
            )

    def _stop_at(self, epoch, step, found):
        names = ", ".join(self.names(epoch * self.steps + step))
        raise FloatingPointError(
            f"{found} in epoch {epoch + 1}, step {step + 1} (subjects: {names})"
            ", where finite numbers were expected; look at these subjects, or lower train: learning_rate, or clip_norm"
        )

    def on_epoch_end(self, epoch, logs=None):
        # The last update may have spoiled the weights behind a finite loss: no state of those replaces a good one.
        if not all(np.isfinite(np.asarray(value)).all() for value in self.model.trainable_variables):
            self._stop_at(epoch, self.steps - 1, "weights became infinite or NaN")
        row = {
            "epoch": epoch + 1,
            "seconds": f"{time.monotonic() - self.epoch_started:.1f}",
            "learning_rate": f"{float(self.model.optimizer.learning_rate):.6g}",
            **{name: f"{float(value):.6f}" for name, value in logs.items()},
        }
        self.history.append({column: row.get(column, "") for column in COLUMNS})
        _save(self.model, self.state, self.identity, self.history, 0)
        left = (time.monotonic() - self.started) / (epoch + 1 - self.first) * (self.epochs - epoch - 1)
        monitored = f", monitored {float(logs['val_dice']):.3f}" if "val_dice" in logs else ""
        self.say(
            f"epoch {epoch + 1}/{self.epochs}  loss {float(logs['loss']):.4f}  Dice {float(logs['dice']):.3f}"
            f"{monitored}  {float(row['seconds']):.0f} s  {_minutes(left)} left"
        )


def _stream(batch, start: int, stop: int, model: keras.Model, classes) -> tf.data.Dataset:
    """(image, one-hot mask) batches by number, made one step ahead in a thread; its error ends the training."""
    image, mask = model.inputs[0].shape[1:], model.inputs[0].shape[1:-1]
    # From the masks' indices to the network's channels: a study has some of the classes.
    channels = tf.constant([classes.index(name) if name in classes else -1 for name in CLASSES])

    def load(number):
        images, masks = tf.numpy_function(batch, [number], (tf.float32, tf.uint8))
        masks = tf.gather(channels, tf.cast(tf.ensure_shape(masks, (None, *mask)), tf.int32))
        return tf.ensure_shape(images, (None, *image)), tf.one_hot(masks, len(classes))

    return tf.data.Dataset.range(start, stop).map(load, num_parallel_calls=1).prefetch(2)


def _save(model: keras.Model, path: Path, identity: str, history: list[dict], into: int) -> None:
    """Write what `_restore` reads: the state after the epochs of the history and `into` steps of the next one."""
    arrays = {f"variable_{i}": value for i, value in enumerate(_variables(model))}
    if into:
        arrays |= {f"sum_{i}": value for i, value in enumerate(model.metrics_variables)}
    arrays["history"] = np.frombuffer(json.dumps([identity, history, into]).encode(), np.uint8)
    with whole(path) as partial, partial.open("wb") as stream:
        np.savez(stream, **{name: np.asarray(value) for name, value in arrays.items()})


def _restore(model: keras.Model, path: Path, identity: str, say) -> tuple[list[dict], int, list[np.ndarray]]:
    """Bring a model into the state that `_save` wrote: history, steps into the next epoch, sums of their metrics."""
    if not path.exists():
        return [], 0, []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            saved, history, into = json.loads(arrays["history"].tobytes())
            kinds = [name.partition("_")[0] for name in arrays.files]
            values, sums = ([arrays[f"{kind}_{i}"] for i in range(kinds.count(kind))] for kind in ("variable", "sum"))
    except Exception as error:
        say(f"{path} cannot be read ({error}); training starts anew")
        return [], 0, []
    if saved != identity:
        say(f"{path} was made with other settings, code or subjects; training starts anew")
        return [], 0, []
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)
    say(f"continuing after epoch {len(history)}" + (f" and step {into} of the next" if into else ""))
    return history, into, sums


def _variables(model: keras.Model) -> list:
    # Dropout's random state is among the model's variables; metrics start anew with each epoch.
    return [*model.variables, *model.optimizer.variables]


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def versions() -> dict[str, str]:
    """Versions of Python and the packages that a model depends on."""
    found = {"python": platform.python_version(), "tensorflow": tf.__version__}
    return found | {
        name: version(name) for name in ("keras", "segmentation-models-3D", "numpy", "nibabel", "SimpleITK")
    }
