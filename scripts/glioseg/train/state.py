"""What a training leaves on disk to be continued from: weights, optimizer, history."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from glioseg.files import whole
from glioseg.train.settings import TrainSettings

# What may change in a training whose loss is no number any more.
RATES = ("learning_rate", "clip_norm")


class Identity(NamedTuple):
    """Hashes of all that decides a training (settings, code, subjects), and of that without `RATES`."""

    everything: str
    but_rates: str


def identify(settings: TrainSettings, contents: list[str]) -> Identity:
    """The identity of a training by its settings and what else matters; a state of another one is not continued."""
    rest = {name: value for name, value in settings.items() if name not in RATES}
    return Identity(_hash([settings, contents]), _hash([rest, contents]))


def save_state(model: keras.Model, path: Path, identity: Identity, history: list[dict], into: int) -> None:
    """Write what `restore_state` reads: the state after the epochs of the history and `into` steps of the next one."""
    arrays = {f"variable_{i}": value.numpy() for i, value in enumerate(_variables(model))}
    if into:
        arrays |= {f"sum_{i}": value.numpy() for i, value in enumerate(model.metrics_variables)}
    _write(path, arrays, [identity, history, into])


def let_rate_change(path: Path) -> None:
    """Note in a state, if there is one, that the loss became no number after it: other `RATES` may continue it."""
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            (everything, but_rates, *_), *rest = json.loads(arrays["history"].tobytes())
            kept = {name: arrays[name] for name in arrays.files}
        _write(path, kept, [[everything, but_rates, "diverged"], *rest])


class Restored(NamedTuple):
    """Where a training stands: its history, the steps done in the next epoch, and the sums of those steps' metrics."""

    history: list[dict]
    into: int
    sums: list[np.ndarray]


def restore_state(model: keras.Model, path: Path, identity: Identity, say: Callable[[str], object]) -> Restored:
    """Bring a model into the state that was saved.

    Nothing is done where there is no state, it can't be read, or it is of a training of another identity.
    """
    if not path.exists():
        return Restored([], 0, [])
    try:
        with np.load(path, allow_pickle=False) as arrays:
            (everything, but_rates, *diverged), history, into = json.loads(arrays["history"].tobytes())
            kinds = [name.partition("_")[0] for name in arrays.files]
            values, sums = ([arrays[f"{kind}_{i}"] for i in range(kinds.count(kind))] for kind in ("variable", "sum"))
    except Exception as error:
        say(f"{path} cannot be read ({error}); training starts anew")
        return Restored([], 0, [])
    other_rates = everything != identity.everything
    if other_rates and not (diverged and but_rates == identity.but_rates):
        say(f"{path} was made with other settings, code or subjects; training starts anew")
        return Restored([], 0, [])
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)
    after = f"continuing after epoch {len(history)}" + (f" and step {into} of the next" if into else "")
    say(f"{after}, since when the loss was no number, with another {' or '.join(RATES)}" if other_rates else after)
    return Restored(history, into, sums)


def _hash(facts: list) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _write(path: Path, arrays: dict[str, np.ndarray], facts: list) -> None:
    arrays["history"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with whole(path) as partial, partial.open("wb") as stream:
        np.savez(stream, **arrays)


def _variables(model: keras.Model) -> list:
    # Dropout's random state is among the model's variables; metrics start anew with each epoch.
    return [*model.variables, *model.optimizer.variables]
