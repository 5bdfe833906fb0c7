"""Save and restore the state from which a training continues: weights, optimizer, history."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from glioseg.files import whole
from glioseg.train.settings import TrainSettings

# Settings that may change when a training continues after its loss became NaN or infinite.
RATES = ("learning_rate", "clip_norm")


class Identity(NamedTuple):
    """Hashes of everything that determines a training (settings, code, subjects), with and without `RATES`."""

    everything: str
    without_rates: str


def identify(settings: TrainSettings, contents: list[str]) -> Identity:
    """Identify a training by its settings and other contents; a state with another identity is not continued."""
    rest = {name: value for name, value in settings.items() if name not in RATES}
    return Identity(_hash([settings, contents]), _hash([rest, contents]))


def save_state(model: keras.Model, path: Path, identity: Identity, history: list[dict], into: int) -> None:
    """Save the state after the epochs of the history and `into` steps of the next epoch, for `restore_state`."""
    arrays = {f"variable_{i}": value.numpy() for i, value in enumerate(_variables(model))}
    if into:
        arrays |= {f"sum_{i}": value.numpy() for i, value in enumerate(model.metrics_variables)}
    _write(path, arrays, [identity, history, into])


def let_rate_change(path: Path) -> None:
    """Mark a state, if it exists, as followed by a NaN or infinite loss, so that other `RATES` may continue it."""
    if path.exists():
        with np.load(path, allow_pickle=False) as arrays:
            (everything, without_rates, *_), *rest = json.loads(arrays["history"].tobytes())
            kept = {name: arrays[name] for name in arrays.files}
        _write(path, kept, [[everything, without_rates, "diverged"], *rest])


class Restored(NamedTuple):
    """The history of a training, the steps done in the next epoch, and the sums of those steps' metrics."""

    history: list[dict]
    into: int
    sums: list[np.ndarray]


def restore_state(model: keras.Model, path: Path, identity: Identity, say: Callable[[str], object]) -> Restored:
    """Restore a model from the saved state, and return the training's history and position.

    The model is unchanged and the history empty if there is no state, it cannot be read, or it has another identity.
    """
    if not path.exists():
        return Restored([], 0, [])
    try:
        with np.load(path, allow_pickle=False) as arrays:
            (everything, without_rates, *diverged), history, into = json.loads(arrays["history"].tobytes())
            kinds = [name.partition("_")[0] for name in arrays.files]
            values, sums = ([arrays[f"{kind}_{i}"] for i in range(kinds.count(kind))] for kind in ("variable", "sum"))
    except Exception as error:
        say(f"{path} cannot be read ({error}); training starts from the beginning")
        return Restored([], 0, [])
    other_rates = everything != identity.everything
    if other_rates and not (diverged and without_rates == identity.without_rates):
        say(f"{path} was made with other settings, code or subjects; training starts from the beginning")
        return Restored([], 0, [])
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)
    after = f"continuing after epoch {len(history)}" + (f" and step {into} of the next" if into else "")
    say(f"{after} with another {' or '.join(RATES)}, because the loss became NaN or infinite" if other_rates else after)
    return Restored(history, into, sums)


def _hash(facts: list) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _write(path: Path, arrays: dict[str, np.ndarray], facts: list) -> None:
    arrays["history"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with whole(path) as partial, partial.open("wb") as stream:
        np.savez(stream, **arrays)


def _variables(model: keras.Model) -> list:
    # The model's variables include the random state of dropout, but not the metrics, which each epoch resets.
    return [*model.variables, *model.optimizer.variables]
