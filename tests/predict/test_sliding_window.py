"""Test that windows, flips and ensembles return each voxel to its place."""

import numpy as np
import pytest
from examples import TISSUES

from glioseg.labels import CLASSES
from glioseg.predict import decide as deciding
from glioseg.predict.runtime import Network
from glioseg.predict.sliding_window import gaussian_weight, predict_probabilities, window_corners


def test_windows_cover_the_brain_and_weights_peak_in_the_middle():
    corners = window_corners(np.ones((40, 16, 33), bool), (16, 16, 16), 0.5)
    seen = np.zeros((40, 16, 33), int)
    for x, y, z in corners:
        seen[x : x + 16, y : y + 16, z : z + 16] += 1
    assert seen.min() >= 1
    assert max(corner[0] for corner in corners) == 24
    assert len(corners) == 4 * 1 * 4
    # A ball needs fewer windows than its box, and each of its voxels is in a window.
    grid = np.stack(np.meshgrid(*[np.arange(80) - 39.5] * 3, indexing="ij"), -1)
    ball = np.linalg.norm(grid, axis=-1) < 40
    corners = window_corners(ball, (16, 16, 16), 0.5)
    seen = np.zeros(ball.shape, bool)
    for corner in corners:
        assert all(0 <= start <= 64 for start in corner)
        seen[tuple(slice(start, start + 16) for start in corner)] = True
    assert seen[ball].all()
    assert len(corners) < 0.85 * len(window_corners(np.ones_like(ball), (16, 16, 16), 0.5))
    assert window_corners(np.zeros((16, 16, 16), bool), (16, 16, 16), 0.5) == [(0, 0, 0)]
    weight = gaussian_weight((16, 16, 16))
    assert weight.min() > 0
    assert weight[8, 8, 8] == weight.max()


def network(function, patch=(16, 16, 16), channels=2):
    """Return a network that applies a function to each patch."""
    return Network(patch, channels, lambda patches: map(function, patches))


# A network that returns its first channel as the probability of class 1.
COPY = network(lambda patch: np.stack([1 - patch[0], patch[0]]))
TWO = (("background", "edema"), "classes")


@pytest.mark.parametrize("flips", [(), ("x",), ("x", "y", "z")])
@pytest.mark.parametrize("shape", [(16, 16, 16), (30, 17, 40), (10, 40, 12)])
def test_sliding_window_returns_each_voxel_to_its_place(shape, flips):
    image = np.random.default_rng(0).random((*shape, 2)).astype(np.float32)
    result = predict_probabilities([COPY, COPY], image, *TWO, 0.5, flips, False).probabilities
    assert result.shape == (*shape, 2)
    assert result[..., 1] == pytest.approx(image[..., 0], abs=1e-5)


def test_flips_cancel_the_asymmetry_of_a_network():
    # The network returns a voxel's position along the first axis of its window. Averaging with the flip cancels this.
    ramp = np.broadcast_to(np.linspace(0, 1, 16, dtype=np.float32)[:, None, None], (16, 16, 16))
    asymmetric = network(lambda patch: np.stack([1 - ramp, ramp]))
    image = np.ones((16, 16, 16, 2), np.float32)
    image[:4] = 0
    alone, flipped, other = (
        predict_probabilities([asymmetric], image, *TWO, 0, flips, False).probabilities
        for flips in ((), ("x",), ("y",))
    )
    assert alone[0, 0, 0, 1] == 0
    assert flipped[..., 1] == pytest.approx(0.5)
    assert (other == alone).all()


def test_an_ensemble_is_the_mean_and_separates_disagreement_from_entropy():
    def constant(value):
        return network(lambda patch: np.stack([np.full(patch.shape[1:], 1 - value), np.full(patch.shape[1:], value)]))

    image = np.random.default_rng(0).random((20, 20, 20, 2)).astype(np.float32)
    for values, entropy, disagreement in (((0.5, 0.5), 1, 0), ((1e-9, 1 - 1e-9), 1, 1), ((1e-9, 1e-9), 0, 0)):
        found = predict_probabilities(map(constant, np.float32(values)), image, *TWO, 0.5, (), True)
        assert found.probabilities[..., 1] == pytest.approx(np.mean(values), abs=1e-5)
        entropy_of_mean = deciding.entropy(found.probabilities, "classes")
        assert entropy_of_mean == pytest.approx(entropy, abs=1e-4)
        assert entropy_of_mean - found.single_entropy == pytest.approx(disagreement, abs=1e-4)


def test_voxels_outside_all_windows_are_background():
    image = np.zeros((64, 16, 16, 2), np.float32)
    image[2:10, 4:12, 4:12] = np.random.default_rng(0).random((8, 8, 8, 2))
    edema = network(lambda patch: np.stack([np.zeros(patch.shape[1:]), np.ones(patch.shape[1:])]))
    found = predict_probabilities([edema], image, *TWO, 0.5, (), False).probabilities
    classes = deciding.decide(found, *TWO, {})
    assert set(np.unique(classes[:16])) == {CLASSES.index("edema")}
    assert not classes[16:].any()
    assert found.sum(axis=-1) == pytest.approx(1)


def test_networks_that_do_not_fit_are_refused():
    image = np.random.default_rng(0).random((16, 16, 16, 2)).astype(np.float32)
    with pytest.raises(ValueError, match=r"takes 2 modalities in windows of .* expected 1 \(as in the image\)"):
        predict_probabilities([COPY], image[..., :1], *TWO, 0.5, (), False)
    with pytest.raises(ValueError, match="has 2 output channels, expected 4"):
        predict_probabilities([COPY], image, TISSUES, "classes", 0.5, (), False)
    with pytest.raises(ValueError, match="train all models with the same modalities and patch"):
        predict_probabilities([COPY, COPY._replace(patch=(8, 8, 8))], image, *TWO, 0.5, (), False)
    with pytest.raises(ValueError, match="'w' is not known; expected one of x, y, z"):
        predict_probabilities([COPY], image, *TWO, 0.5, ("w",), False)
    with pytest.raises(ValueError, match="no model was given"):
        predict_probabilities([], image, *TWO, 0.5, (), False)


def test_networks_are_loaded_one_after_another():
    alive = []

    def load():
        for number in range(3):
            alive.append(number)
            yield COPY
            assert alive == [number], "only one network may be in memory"
            alive.remove(number)

    predict_probabilities(load(), np.ones((16, 16, 16, 2), np.float32), *TWO, 0.5, (), False)
    assert alive == []
