"""Windows, flips and ensembles put every voxel back."""

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
    # A ball needs fewer windows than its box, and each voxel of it is within one.
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
    """A network that makes of each patch what a function of it says."""
    return Network(patch, channels, lambda patches: map(function, patches))


# It returns its first channel as the probability of class 1.
COPY = network(lambda patch: np.stack([1 - patch[0], patch[0]]))
TWO = (("background", "edema"), "classes")


@pytest.mark.parametrize("flips", [(), ("x",), ("x", "y", "z")])
@pytest.mark.parametrize("shape", [(16, 16, 16), (30, 17, 40), (10, 40, 12)])
def test_sliding_window_puts_every_voxel_back(shape, flips):
    image = np.random.default_rng(0).random((*shape, 2)).astype(np.float32)
    result = predict_probabilities([COPY, COPY], image, *TWO, 0.5, flips, False).probabilities
    assert result.shape == (*shape, 2)
    assert result[..., 1] == pytest.approx(image[..., 0], abs=1e-5)


def test_flips_make_a_lopsided_network_even():
    # It says how far a voxel lies along its window's first axis: of that, its mirror leaves nothing.
    ramp = np.broadcast_to(np.linspace(0, 1, 16, dtype=np.float32)[:, None, None], (16, 16, 16))
    lopsided = network(lambda patch: np.stack([1 - ramp, ramp]))
    image = np.ones((16, 16, 16, 2), np.float32)
    image[:4] = 0
    alone, even, other = (
        predict_probabilities([lopsided], image, *TWO, 0, flips, False).probabilities for flips in ((), ("x",), ("y",))
    )
    assert alone[0, 0, 0, 1] == 0
    assert even[..., 1] == pytest.approx(0.5)
    assert (other == alone).all()


def test_an_ensemble_is_the_mean_and_tells_disagreement_from_doubt():
    def says(share):
        return network(lambda patch: np.stack([np.full(patch.shape[1:], 1 - share), np.full(patch.shape[1:], share)]))

    image = np.random.default_rng(0).random((20, 20, 20, 2)).astype(np.float32)
    for shares, undecided, disagreement in (((0.5, 0.5), 1, 0), ((1e-9, 1 - 1e-9), 1, 1), ((1e-9, 1e-9), 0, 0)):
        found = predict_probabilities(map(says, np.float32(shares)), image, *TWO, 0.5, (), True)
        assert found.probabilities[..., 1] == pytest.approx(np.mean(shares), abs=1e-5)
        whole = deciding.entropy(found.probabilities, "classes")
        assert whole == pytest.approx(undecided, abs=1e-4)
        assert whole - found.single_entropy == pytest.approx(disagreement, abs=1e-4)


def test_where_no_window_reaches_there_is_background():
    image = np.zeros((64, 16, 16, 2), np.float32)
    image[2:10, 4:12, 4:12] = np.random.default_rng(0).random((8, 8, 8, 2))
    sure = network(lambda patch: np.stack([np.zeros(patch.shape[1:]), np.ones(patch.shape[1:])]))
    found = predict_probabilities([sure], image, *TWO, 0.5, (), False).probabilities
    classes = deciding.decide(found, *TWO)
    assert set(np.unique(classes[:16])) == {CLASSES.index("edema")}
    assert not classes[16:].any()
    assert found.sum(axis=-1) == pytest.approx(1)


def test_networks_that_do_not_fit_are_refused():
    image = np.random.default_rng(0).random((16, 16, 16, 2)).astype(np.float32)
    with pytest.raises(ValueError, match=r"takes 2 modalities in windows of .* expected 1 \(the image's\)"):
        predict_probabilities([COPY], image[..., :1], *TWO, 0.5, (), False)
    with pytest.raises(ValueError, match="tells 2 classes apart, expected 4"):
        predict_probabilities([COPY], image, TISSUES, "classes", 0.5, (), False)
    with pytest.raises(ValueError, match="train all with one list of modalities and one patch"):
        predict_probabilities([COPY, COPY._replace(patch=(8, 8, 8))], image, *TWO, 0.5, (), False)
    with pytest.raises(ValueError, match="'w' is not known; known are x, y, z"):
        predict_probabilities([COPY], image, *TWO, 0.5, ("w",), False)
    with pytest.raises(ValueError, match="no model was given"):
        predict_probabilities([], image, *TWO, 0.5, (), False)


def test_networks_are_loaded_one_after_the_other():
    alive = []

    def load():
        for number in range(3):
            alive.append(number)
            yield COPY
            assert alive == [number], "one at a time"
            alive.remove(number)

    predict_probabilities(load(), np.ones((16, 16, 16, 2), np.float32), *TWO, 0.5, (), False)
    assert alive == []
