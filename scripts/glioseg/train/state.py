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


def claim_state(path: Path, identity: Identity, say: Callable[[str], object]) -> None:
    """Move the state of a training, if there is one, to its path; a state of another training there is kept aside.

    A state that is kept aside lies next to the path and has the first digits of its identity in its name. It continues
    once its settings, code and subjects are those of the training again.
    """
    states = {file: _identity_in(file) for file in (path, *_kept(path))}
    own = [file for file in states if _continues(states[file], identity)]
    # A state with the same rates comes first.
    own.sort(key=lambda file: states[file][0] != identity.everything)
    if states[path] and path not in own[:1]:
        kept = path.with_name(f"{path.stem}-{states[path][0][:8]}{path.suffix}")
        path.replace(kept)
        say(f"{path} was made with other settings, code or subjects; it is kept as {kept} until they change back")
    if own and own[0] != path:
        own[0].replace(path)
        say(f"{own[0]} was made with these settings, code and subjects; it is {path} again")
    if others := _kept(path):
        say(f"states of other unfinished trainings, which may be deleted: {', '.join(map(str, others))}")


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
    if not _continues([everything, without_rates, *diverged], identity):
        say(f"{path} was made with other settings, code or subjects; training starts from the beginning")
        return Restored([], 0, [])
    other_rates = everything != identity.everything
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)
    after = f"continuing after epoch {len(history)}" + (f" and step {into} of the next" if into else "")
    say(f"{after} with another {' or '.join(RATES)}, because the loss became NaN or infinite" if other_rates else after)
    return Restored(history, into, sums)


def _continues(found: list[str], identity: Identity) -> bool:
    """Whether a state with this identity, as it is written, continues a training."""
    everything, without_rates, *diverged = found or ["", ""]
    return everything == identity.everything or bool(diverged and without_rates == identity.without_rates)


def _identity_in(path: Path) -> list[str]:
    """The identity in a state as it is written; [] if there is no state or it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return json.loads(arrays["history"].tobytes())[0]
    except Exception:  # a damaged file raises many exception types; restore_state reports it
        return []


def _kept(path: Path) -> list[Path]:
    """States of other trainings that are kept aside."""
    return sorted(path.parent.glob(f"{path.stem}-????????{path.suffix}"))


def _hash(facts: list) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _write(path: Path, arrays: dict[str, np.ndarray], facts: list) -> None:
    arrays["history"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with whole(path) as partial, partial.open("wb") as stream:
        np.savez(stream, **arrays)


def _variables(model: keras.Model) -> list:
    # The model's variables include the random state of dropout, but not the metrics, which each epoch resets.
    return [*model.variables, *model.optimizer.variables]
