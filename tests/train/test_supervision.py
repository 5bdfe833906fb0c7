"""Deep supervision against a loss worked out by hand."""

import numpy as np
import pytest

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)


def test_deep_supervision_by_hand():
    from glioseg.train.losses import build_loss, one_hot
    from glioseg.train.networks import build_network
    from glioseg.train.supervision import supervise

    inner = build_network("unet", (16, 16, 16), 2, 4, (4, 8, 8), "")
    model = supervise(inner)
    assert [output.shape[1] for output in model.outputs] == [16, 4]
    loss = build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)

    def of_classes(truth, outputs):
        return loss(one_hot(truth, 4, outputs.shape[1:-1]), outputs)

    model.compile("sgd", of_classes, metrics=[])
    random = np.random.default_rng(0)
    image = random.normal(size=(1, 16, 16, 16, 2)).astype(np.float32)
    indices = random.integers(0, 4, (1, 16, 16, 16))
    truth = np.eye(4, dtype=np.float32)[indices]
    full, coarse = (np.asarray(output) for output in model(image))
    # Each coarse voxel's truth is the mean of the 4 x 4 x 4 voxels under it; that level weighs 2 / 4 of the whole's.
    mean = truth.reshape(1, 4, 4, 4, 4, 4, 4, 4).mean((2, 4, 6))
    expected = (float(loss(truth, full)) + 0.5 * float(loss(mean, coarse))) / 1.5
    before = [value.copy() for value in inner.get_weights()]
    assert model.train_on_batch(image, indices, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)
    assert any((one != two).any() for one, two in zip(before, inner.get_weights(), strict=True))
    shallow = supervise(build_network("unet", (16, 16, 16), 2, 4, (4, 8), ""))
    shallow.compile("sgd", of_classes, metrics=[])
    expected = float(loss(truth, np.asarray(shallow(image))))
    assert shallow.train_on_batch(image, indices, return_dict=True)["loss"] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="original has no decoder levels"):
        supervise(build_network("original", (16, 16, 16), 2, 4, (4, 8), ""))
