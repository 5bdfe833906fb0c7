"""The state of an unfinished training with other settings is kept aside, and continues when they change back."""

from types import SimpleNamespace

import numpy as np
import pytest

from glioseg.train import device  # noqa: F401  (before TensorFlow)
from glioseg.train.state import claim_state, identify, let_rate_change, restore_state, save_state


class Value:
    """A variable of a network."""

    def __init__(self, value):
        self.value = value

    def numpy(self):
        return np.float32(self.value)

    def assign(self, value):
        self.value = float(value)


def network(value=0.0):
    return SimpleNamespace(variables=[Value(value)], optimizer=SimpleNamespace(variables=[]), metrics_variables=[])


@pytest.fixture
def training(tmp_path):
    """A function that starts a training with some settings, and saves its state after one more epoch."""
    path = tmp_path / "state.npz"

    def start(value=None, **settings):
        identity, said, model = identify({"learning_rate": 1.0, "epochs": 2, **settings}, ["code"]), [], network()
        claim_state(path, identity, said.append)
        history = restore_state(model, path, identity, said.append).history
        if value is not None:
            save_state(network(value), path, identity, [*history, {}], 0)
        return len(history), model.variables[0].value, "\n".join(said)

    return start, path


def test_a_state_of_other_settings_is_kept_and_continues_when_they_change_back(training):
    start, path = training
    assert start(1.0)[:2] == (0, 0)
    epochs, _, said = start(5.0, epochs=3)
    assert epochs == 0
    (kept,) = set(path.parent.iterdir()) - {path}
    assert kept.name == f"state-{identify({'learning_rate': 1.0, 'epochs': 2}, ['code']).everything[:8]}.npz"
    assert f"{path} was made with other settings, code or subjects; it is kept as {kept} until they change back" in said
    assert f"states of other unfinished trainings, which may be deleted: {kept}" in said
    # Started again, it continues its own, and still names the other.
    assert start(6.0, epochs=3)[:2] == (1, 5)
    assert f"may be deleted: {kept}" in start(epochs=3)[2]
    # A third one keeps both. A finished training deletes only the file at its path.
    start(9.0, epochs=4)
    assert len(list(path.parent.iterdir())) == 3
    path.unlink()
    epochs, value, said = start(2.0)
    assert (epochs, value) == (1, 1)
    assert f"{kept} was made with these settings, code and subjects; it is {path} again" in said
    assert not kept.exists()
    assert start(epochs=3)[:2] == (2, 6)


def test_a_state_that_cannot_be_read_gives_way_to_one_that_is_kept(training):
    start, path = training
    start(1.0)
    start(5.0, epochs=3)
    path.write_bytes(b"half a file")
    assert start()[:2] == (1, 1)
    path.write_bytes(b"half a file")
    epochs, _, said = start()
    assert epochs == 0
    assert "cannot be read" in said and "training starts from the beginning" in said


def test_another_rate_continues_a_state_only_after_its_loss_became_nan(training):
    start, path = training
    start(1.0)
    assert start(learning_rate=0.5)[0] == 0
    assert start()[:2] == (1, 1)
    let_rate_change(path)
    epochs, _, said = start(3.0, learning_rate=0.5)
    assert epochs == 1
    assert "with another learning_rate or clip_norm, because the loss became NaN" in said
    assert list(path.parent.iterdir()) == [path]
