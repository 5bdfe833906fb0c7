"""A network learns where the brain is from heads of phantoms."""

import numpy as np
import pytest
from trainings import weights

from glioseg.synthesize.head_worlds import AROUND, VOXEL_MM, head_world, normalized
from glioseg.train.patches import training_batch
from glioseg.train.strip import learn


@pytest.fixture(scope="module")
def subject():
    return learn._subject(1, 3)


def test_the_brain_of_a_head_is_where_its_tissues_are(subject):
    maps, brain = subject.world.maps, subject.mask > 0
    assert brain.sum() * VOXEL_MM**3 / 1e6 == pytest.approx(1.4, abs=0.4), "liters"
    inside = maps[..., :6].sum(-1, dtype=int)
    assert (inside[brain] > 120).all() and (inside[~brain] < 135).all()
    for name in ("skull", "scalp", "eye"):
        assert (maps[..., -len(AROUND) :][..., AROUND.index(name)] > 200).any(), name


def test_patches_have_another_contrast_each_time_and_are_normalized(subject):
    settings = learn.SETTINGS | {"seed": 1, "epochs": 1}
    (first, mask), (second, _) = (training_batch([subject], step, settings) for step in (0, 1))
    assert first.shape == (1, *settings["patch"], 1) and mask.shape == (1, *settings["patch"])
    assert not np.allclose(first, second)
    assert first.min() >= 0 and 0.9 < first.max() <= 2
    assert set(np.unique(mask)) == {0, 1}


def test_normalized_is_the_same_for_any_gain():
    volume = np.random.default_rng(0).gamma(2, 1, (20, 20, 20)).astype(np.float32)
    np.testing.assert_allclose(normalized(volume), normalized(1000 * volume), rtol=1e-5)
    assert not normalized(np.zeros((4, 4, 4), np.float32)).any()


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


def test_other_numbers_are_other_heads(subject):
    other, _ = head_world(2, 3)
    assert not np.array_equal(other.maps, subject.world.maps)
