"""What a training prints and saves after each step and epoch."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from glioseg.labels import EVERYWHERE
from glioseg.train.patches import Subject, batch_subjects
from glioseg.train.schedule import finished, rate, seconds_spent, stage_of, stages
from glioseg.train.settings import TrainSettings
from glioseg.train.signals import Noted
from glioseg.train.state import Identity, let_rate_change, save_state
from glioseg.workflow.commands import Interrupted

SCORES = ("loss", "accuracy", "iou", "dice", *(f"dice_{region.lower()}" for region in EVERYWHERE))


HISTORY_COLUMNS = ["epoch", "seconds", "learning_rate", *SCORES, *(f"val_{name}" for name in SCORES)]


@dataclass(frozen=True)
class Training:
    """The inputs of the training of one model.

    subjects: those to train on; validation: those of the validation curves, which do not influence the model; state:
    file from which a killed training continues if its identity is the same; workers: batches prepared in parallel; say:
    prints a line; begin: changes the first weights of the network, or which of its layers are trained.
    """

    subjects: list[Subject]
    validation: list[Subject]
    state: Path
    identity: Identity
    settings: TrainSettings
    workers: int
    say: Callable[[str], object] = print
    begin: Callable[[keras.Model], object] = lambda network: None


class Waiting:
    """The time for which steps wait for their batch, because it was not ready when they began."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self.clock, self.ready, self.seconds = clock, {}, 0.0
        self.begun: float | None = None

    def batch_is_ready(self, step: int) -> None:
        """Note the time; the threads that make batches call this."""
        self.ready[step] = self.clock()

    def begin(self) -> None:
        # While the first batch is made, the first step is compiled.
        self.begun = math.inf if self.begun is None else self.clock()

    def end(self, step: int) -> None:
        # A step has computed nothing before its batch was ready.
        self.seconds += max(self.ready.pop(step, -math.inf) - self.begun, 0)


class Progress(keras.callbacks.Callback):
    """Set the learning rate before each step; after each epoch, save the state and print a line.

    Each epoch adds a row to the history. The line shows loss, Dice, the share of the time for which steps waited for
    data, and the time left. The training ends when its time is over or its loss no longer falls.
    """

    def __init__(self, training: Training, history: list[dict], validation_epochs: list[int], noted: Noted):
        super().__init__()
        self.training, self.history, self.validation_epochs, self.noted = training, history, validation_epochs, noted
        settings = self.settings = training.settings
        self.epochs, self.steps = settings["epochs"], settings["steps_per_epoch"]
        self.first, self.started, self.earlier = len(history), time.monotonic(), seconds_spent(history)
        self.waiting = Waiting()

    def elapsed(self) -> float:
        return self.earlier + time.monotonic() - self.started

    def continue_epoch(self, stage: TrainSettings, into: int, sums: list[np.ndarray]):
        """Begin the next epoch after its first `into` steps; `sums` are the sums of those steps' metrics."""
        self.stage, self.into, self.sums = stage, into, sums if into else []

    def on_epoch_begin(self, epoch, logs=None):
        self.waiting.seconds = 0.0
        if self.sums:  # Keras has just reset the metrics
            for variable, value in zip(self.model.metrics_variables, self.sums, strict=True):
                variable.assign(value)

    def on_train_batch_begin(self, batch, logs=None):
        step = len(self.history) * self.steps + self.into + batch
        self.rate = rate(step, self.elapsed(), self.settings)
        self.model.optimizer.learning_rate = self.rate
        self.waiting.begin()

    def on_train_batch_end(self, batch, logs=None):
        epoch, step = len(self.history), self.into + batch
        self.waiting.end(epoch * self.steps + step)
        if not np.isfinite(logs["loss"]):
            self._stop_at(epoch, step, f"the loss became {logs['loss']}")
        # After the last step of an epoch, on_epoch_end saves the state and stops.
        if self.noted.name and step + 1 < self.steps:
            save_state(self.model, self.training.state, self.training.identity, self.history, step + 1)
            self._interrupt(epoch, step)
        budget = 60 * self.settings["max_minutes"]
        if budget and self.elapsed() >= budget:
            self.model.stop_training = True
            self.validation_epochs.append(epoch + 1)

    def _interrupt(self, epoch, step):
        raise Interrupted(
            f"{self.noted.name} ended the training in epoch {epoch + 1}, after step {step + 1} of {self.steps}; "
            f"{self.training.state} holds its state: run again and it continues from there"
        )

    def _stop_at(self, epoch, step, found):
        patches = batch_subjects(self.training.subjects, epoch * self.steps + step, self.stage)
        names = ", ".join(sorted({subject.name for _, subject in patches}))
        rate = "start_learning_rate" if self.settings["start"] else "learning_rate"
        let_rate_change(self.training.state)
        raise FloatingPointError(
            f"{found} in epoch {epoch + 1}, step {step + 1} (subjects: {names})"
            f"; expected finite numbers; check these subjects, or lower train: {rate} or clip_norm and run again"
            " to continue from the last good epoch"
        )

    def on_epoch_end(self, epoch, logs=None):
        # A finite loss can still leave NaN weights; never overwrite a good state with them.
        if not all(np.isfinite(value.numpy()).all() for value in self.model.trainable_variables):
            self._stop_at(epoch, self.steps - 1, "weights became infinite or NaN")
        row = {
            "epoch": epoch + 1,
            # Time between epochs, such as saving, counts toward the next one.
            "seconds": f"{self.elapsed() - seconds_spent(self.history):.3f}",
            "learning_rate": f"{self.rate:.6g}",
            **{name: f"{float(value):.6f}" for name, value in logs.items()},
        }
        self.history.append({column: row.get(column, "") for column in HISTORY_COLUMNS})
        save_state(self.model, self.training.state, self.training.identity, self.history, 0)
        if self.noted.name:
            self._interrupt(epoch, self.steps - 1)
        left = (time.monotonic() - self.started) / (epoch + 1 - self.first) * (self.epochs - epoch - 1)
        if self.settings["max_minutes"]:
            left = max(0, min(left, 60 * self.settings["max_minutes"] - self.elapsed()))
        # on_train_batch_end checks max_minutes, early enough for this epoch to be validated.
        stage = stages(self.settings)[stage_of(self.history, self.settings)]
        if stage != self.stage or finished(self.history, self.settings | {"max_minutes": 0}):
            self.model.stop_training = True
        waited = self.waiting.seconds / max(float(row["seconds"]), 1e-9)
        validation = f", validation {float(logs['val_dice']):.3f}" if "val_dice" in logs else ""
        self.training.say(
            f"epoch {epoch + 1}/{self.epochs}  loss {float(logs['loss']):.4f}  Dice {float(logs['dice']):.3f}"
            f"{validation}  {float(row['seconds']):.0f} s ({waited:.0%} waiting for data)  {_minutes(left)} left"
        )


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
