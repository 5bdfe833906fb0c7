"""Training that can be killed at any moment: one fold's network, from subjects to a model and its history."""

import csv
import platform
import time
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from glioseg.batches import Subject, batch_subjects, monitor_batch, training_batch
from glioseg.device import give_way
from glioseg.fused import in_one_pass, learner, with_gradient
from glioseg.interruption import Interrupted, Noted, noted_signals
from glioseg.labels import CLASSES, EVERYWHERE, targets_of
from glioseg.losses import Scores, build_loss, one_hot
from glioseg.networks import build_network
from glioseg.outputs import whole
from glioseg.schedule import SCHEDULES, finished, rate, seconds_spent
from glioseg.supervision import supervise
from glioseg.training_state import Identity, let_rate_change, restore_state, save_state

OPTIMIZERS = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}
SCORES = ("loss", "accuracy", "iou", "dice", *(f"dice_{region.lower()}" for region in EVERYWHERE))
COLUMNS = ["epoch", "seconds", "learning_rate", *SCORES, *(f"val_{name}" for name in SCORES)]


def build_model(channels: int, settings: dict) -> tuple[keras.Model, keras.Model]:
    """The network of the settings, and a model of the same layers that learns: compiled, with loss and scores."""
    for setting, known in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
        if settings[setting] not in known:
            raise ValueError(f"{setting}: {settings[setting]!r} is not known; known are {', '.join(known)}")
    classes, targets = settings["classes"], settings["targets"]
    network = build_network(
        settings["network"],
        settings["patch"],
        channels,
        len(targets_of(targets, classes)),
        settings["filters"],
        settings["backbone"],
        settings["normalization"],
        "softmax" if targets == "classes" else "sigmoid",
    )
    model, activate = learner(supervise(network) if settings["deep_supervision"] else network)
    averaged = {"use_ema": True, "ema_momentum": settings["average"]} if settings["average"] else {}
    optimizer = in_one_pass(OPTIMIZERS[settings["optimizer"]])(
        settings["learning_rate"], global_clipnorm=settings["clip_norm"] or None, **averaged
    )
    of_activated = build_loss(settings["losses"], classes, targets, settings["batch_dice"])

    def from_classes(truth, outputs):
        return of_activated(one_hot(truth, len(classes), outputs.shape[1:-1]), activate(outputs))

    loss = with_gradient(from_classes)

    def shared(truth, outputs):
        # Among several devices Keras shares out the loss only where it comes as an array.
        return loss(truth, outputs)[None]

    model.compile(optimizer, shared, metrics=[Scores(classes, targets, activate)])
    return network, model


def train_network(
    subjects: list[Subject],
    monitored: list[Subject],
    state: Path,
    identity: Identity,
    settings: dict,
    strategy: tf.distribute.Strategy,
    workers: int,
    say=print,
) -> tuple[keras.Model, list[dict]]:
    """Train one network to its last epoch, continuing from the file `state` where that has the same `identity`.

    Each batch is decided by seed and step, so weights, optimizer and epoch are all the state there is, and a run killed
    and continued ends with the weights of one left alone (but for one that `max_minutes` ends). strategy: the devices
    that share each batch; workers: batches that are made at once. Returns the model of the last epoch, its weights
    averaged where that is set, and a row per epoch (`COLUMNS`).
    Raises ValueError for a setting by an unknown name or a batch that the devices can't share, FloatingPointError where
    the loss is not finite, and Interrupted where a signal came (`noted_signals`): the state is then that of the last
    step, in mid-epoch.
    """
    devices = strategy.num_replicas_in_sync
    if settings["batch"] % devices:
        raise ValueError(f"batch: {settings['batch']} patches can't be shared by {devices} GPUs; take a multiple")
    keras.utils.set_random_seed(settings["seed"])
    with strategy.scope():
        network, model = build_model(subjects[0].image.shape[-1], settings)
        model.optimizer.build(model.trainable_variables)
    history, into, sums = restore_state(model, state, identity, say)
    done = len(history)
    if not finished(history, settings):
        _fit(model, subjects, monitored, state, identity, settings, history, into, sums, devices, workers, say)
    if settings["average"]:
        model.optimizer.finalize_variable_values(model.trainable_variables)
    if len(history) < settings["epochs"] and len(history) > done:
        say(f"training ended after epoch {len(history)} of {settings['epochs']}")
    return network, history


def _fit(model, subjects, monitored, state, identity, settings, history, into, sums, devices, workers, say) -> None:
    """The epochs that `history` lacks, the first of them from its step `into` on, whose metrics add up to `sums`."""
    done, last, steps = len(history), settings["epochs"], settings["steps_per_epoch"]
    monitor = None
    if monitored:
        # As many copies as there are devices, none of which bears an empty share; the scores are the same.
        batches = [[np.repeat(part, devices, 0) for part in monitor_batch(one, settings["patch"])] for one in monitored]
        monitor = _stream(lambda index: batches[index], 0, len(batches), model, settings["classes"], 1)
    # An epoch that is cut short by the time is monitored too: it is added to these.
    epochs = [*range(settings["monitor_every"], last, settings["monitor_every"]), last]
    averages = [keras.callbacks.SwapEMAWeights()] if settings["average"] else []

    def names(step):
        return sorted({subject.name for _, subject in batch_subjects(subjects, step, settings)})

    with noted_signals() as noted:
        progress = _Progress(history, state, identity, settings, epochs, say, noted, names)
        # An epoch that a signal cut is a stretch of its own, of the steps that it lacks.
        for start, stop, skipped in [(done, done + 1, into), (done + 1, last, 0)] if into else [(done, last, 0)]:
            if start == stop or finished(history, settings):
                continue
            if start > done:
                # Where weights are averaged, Keras ends a stretch with the average in their place.
                restore_state(model, state, identity, lambda said: None)
            data = _stream(
                lambda step: training_batch(subjects, step, settings),
                start * steps + skipped,
                stop * steps,
                model,
                settings["classes"],
                workers,
            )
            progress.continue_epoch(skipped, sums)
            if skipped:
                # Only with a first batch does Keras make the variables of the metrics, which are to go on.
                model.evaluate(data.take(1), verbose=0)
            model.fit(
                data,
                initial_epoch=start,
                epochs=stop,
                steps_per_epoch=steps - skipped,
                validation_data=monitor,
                validation_freq=epochs,
                callbacks=[progress, *averages],
                shuffle=False,
                verbose=0,
            )


def write_history(path: Path, history: list[dict]) -> None:
    """Write one row per epoch as CSV; a cell is empty where an epoch was not monitored."""
    with whole(path) as partial, partial.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


class _Progress(keras.callbacks.Callback):
    """Before each step its learning rate; after each epoch a row of history, the state on disk, and a line.

    The line tells loss, Dice and the time left. Ends the training where its time is over, or it learns no more.
    """

    def __init__(self, history, state, identity, settings, monitored_epochs, say, noted: Noted, names):
        super().__init__()
        self.history, self.state, self.identity, self.settings, self.say = history, state, identity, settings, say
        self.monitored_epochs, self.noted, self.names = monitored_epochs, noted, names
        self.epochs, self.steps = settings["epochs"], settings["steps_per_epoch"]
        self.first, self.started, self.earlier = len(history), time.monotonic(), seconds_spent(history)

    def elapsed(self) -> float:
        return self.earlier + time.monotonic() - self.started

    def continue_epoch(self, into, sums):
        """The next epoch begins after its first `into` steps, whose metrics add up to `sums`."""
        self.into, self.sums = into, sums if into else []

    def on_epoch_begin(self, epoch, logs=None):
        if self.sums:  # Keras has just set them to nothing
            for variable, value in zip(self.model.metrics_variables, self.sums, strict=True):
                variable.assign(value)

    def on_train_batch_begin(self, batch, logs=None):
        step = len(self.history) * self.steps + self.into + batch
        self.rate = rate(step, self.elapsed(), self.settings)
        self.model.optimizer.learning_rate = self.rate

    def on_train_batch_end(self, batch, logs=None):
        epoch, step = len(self.history), self.into + batch
        if not np.isfinite(logs["loss"]):
            self._stop_at(epoch, step, f"the loss became {logs['loss']}")
        # After its last step an epoch is ended first.
        if self.noted.name and step + 1 < self.steps:
            save_state(self.model, self.state, self.identity, self.history, step + 1)
            self._interrupt(epoch, step)
        budget = 60 * self.settings["max_minutes"]
        if budget and self.elapsed() >= budget:
            self.model.stop_training = True
            self.monitored_epochs.append(epoch + 1)

    def _interrupt(self, epoch, step):
        raise Interrupted(
            f"{self.noted.name} ended the training in epoch {epoch + 1}, after step {step + 1} of {self.steps}; "
            f"{self.state} holds its state: run again and it continues from there"
        )

    def _stop_at(self, epoch, step, found):
        names = ", ".join(self.names(epoch * self.steps + step))
        let_rate_change(self.state)
        raise FloatingPointError(
            f"{found} in epoch {epoch + 1}, step {step + 1} (subjects: {names})"
            ", where finite numbers were expected; look at these subjects, or lower train: learning_rate or clip_norm,"
            " with which it goes on from its last good epoch"
        )

    def on_epoch_end(self, epoch, logs=None):
        # The last update may have spoiled the weights behind a finite loss: no state of those replaces a good one.
        if not all(np.isfinite(value.numpy()).all() for value in self.model.trainable_variables):
            self._stop_at(epoch, self.steps - 1, "weights became infinite or NaN")
        row = {
            "epoch": epoch + 1,
            # What lies between epochs, such as saving the state, is the next one's.
            "seconds": f"{self.elapsed() - seconds_spent(self.history):.3f}",
            "learning_rate": f"{self.rate:.6g}",
            **{name: f"{float(value):.6f}" for name, value in logs.items()},
        }
        self.history.append({column: row.get(column, "") for column in COLUMNS})
        save_state(self.model, self.state, self.identity, self.history, 0)
        if self.noted.name:
            self._interrupt(epoch, self.steps - 1)
        left = (time.monotonic() - self.started) / (epoch + 1 - self.first) * (self.epochs - epoch - 1)
        if self.settings["max_minutes"]:
            left = max(0, min(left, 60 * self.settings["max_minutes"] - self.elapsed()))
        # That the time is over is noted after a step, so that its epoch is monitored.
        if finished(self.history, self.settings | {"max_minutes": 0}):
            self.model.stop_training = True
        monitored = f", monitored {float(logs['val_dice']):.3f}" if "val_dice" in logs else ""
        self.say(
            f"epoch {epoch + 1}/{self.epochs}  loss {float(logs['loss']):.4f}  Dice {float(logs['dice']):.3f}"
            f"{monitored}  {float(row['seconds']):.0f} s  {_minutes(left)} left"
        )


def _stream(batch, start: int, stop: int, model: keras.Model, classes, workers: int) -> tf.data.Dataset:
    """(image, mask) batches by number, in order, made ahead in threads; an error there ends the training."""
    image = model.inputs[0].shape[1:]
    # From the masks' indices to the study's: it has some of the classes. What it hasn't is none of them.
    index = np.array([classes.index(name) if name in classes else len(classes) for name in CLASSES], np.uint8)

    def make(number):
        give_way()
        images, masks = batch(number)
        return images, index.take(masks)

    def load(number):
        images, masks = tf.numpy_function(make, [number], (tf.float32, tf.uint8))
        return tf.ensure_shape(images, (None, *image)), tf.ensure_shape(masks, (None, *image[:-1]))

    options = tf.data.Options()
    # Threads that nothing else runs on.
    options.threading.private_threadpool_size = workers
    data = tf.data.Dataset.range(start, stop).map(load, num_parallel_calls=workers).prefetch(2)
    return data.with_options(options)


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
