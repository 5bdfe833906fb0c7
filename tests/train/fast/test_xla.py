"""A loss and its gradient computed in one pass equal those computed separately."""

import numpy as np
import pytest

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)


@pytest.mark.parametrize("targets", ["classes", "regions"])
def test_the_loss_and_its_gradient_equal_those_computed_separately(targets):
    import keras
    import tensorflow as tf

    from glioseg.train.fast.xla import with_gradient
    from glioseg.train.losses import build_loss

    random = np.random.default_rng(0)
    outputs = tf.constant(random.normal(size=(2, 4, 5, 6, 4 if targets == "classes" else 3)), tf.float32)
    truth = tf.one_hot(random.integers(0, 4, (2, 4, 5, 6)), 4)
    activate = keras.activations.softmax if targets == "classes" else keras.activations.sigmoid
    loss = build_loss(["dice_cross_entropy"], CLASSES[:4], targets, True)
    found = []
    for function in (lambda t, o: loss(t, activate(o)), with_gradient(lambda t, o: loss(t, activate(o)))):
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            value = 3 * function(truth, outputs)
        found.append((float(value), np.asarray(tape.gradient(value, outputs))))
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-4, abs=1e-7)
    assert np.abs(found[0][1]).max() > 1e-4
