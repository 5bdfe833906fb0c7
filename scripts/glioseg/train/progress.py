"""What a training says and keeps after each step and epoch."""

import time

import keras
import numpy as np

from glioseg.labels import EVERYWHERE
from glioseg.train.schedule import finished, rate, seconds_spent
from glioseg.train.signals import Noted
from glioseg.train.state import let_rate_change, save_state
from glioseg.workflow.commands import Interrupted

SCORES = ("loss", "accuracy", "iou", "dice", *(f"dice_{region.lower()}" for region in EVERYWHERE))


COLUMNS = ["epoch", "seconds", "learning_rate", *SCORES, *(f"val_{name}" for name in SCORES)]


class Progress(keras.callbacks.Callback):
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


def _minutes(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
