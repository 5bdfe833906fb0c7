"""A network learns where the brain is from heads of phantoms."""

import numpy as np
import pytest
from trainings import weights

from glioseg.train.patches import training_batch
from glioseg.train.strip import learn


@pytest.fixture(scope="module")
def subject():
    return learn._subject(1, 3)


def test_patches_have_another_contrast_each_time_and_are_normalized(subject):
    settings = learn.SETTINGS | {"seed": 1, "epochs": 1}
    (first, mask), (second, _) = (training_batch([subject], step, settings) for step in (0, 1))
    assert first.shape == (1, *settings["patch"], 1) and mask.shape == (1, *settings["patch"])
    assert not np.allclose(first, second)
    assert first.min() >= 0 and 0.9 < first.max() <= 2
    assert set(np.unique(mask)) == {0, 1}


def test_training_twice_gives_the_same_bits(tmp_path, monkeypatch, subject):
    small = {"patch": (32, 32, 32), "filters": (4, 8), "steps_per_epoch": 2}
    monkeypatch.setattr(learn, "SETTINGS", learn.SETTINGS | small)
    monkeypatch.setattr(learn, "_subject", lambda number, seed: subject)
    trained = []
    for run in ("a", "b"):
        network, settings = learn.learn_brains(1, 2, 3, 1, tmp_path / f"{run}.npz", lambda line: None)
        network.save(tmp_path / f"{run}.keras")
        trained.append(weights(tmp_path / f"{run}.keras"))
    assert settings["classes"] == ("background", "brain")
    assert network.output_shape == (None, 32, 32, 32, 2)
    for first, again in zip(*trained, strict=True):
        np.testing.assert_array_equal(first, again)
