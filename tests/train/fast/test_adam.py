"""Weights updated in one pass equal those of Keras."""

import numpy as np
import pytest

from glioseg.train import device  # noqa: F401  (before TensorFlow)


def test_weights_updated_in_one_pass_equal_those_of_keras():
    import keras
    import tensorflow as tf

    from glioseg.train.fast.adam import in_one_pass

    random = np.random.default_rng(0)
    shapes = [(3, 3, 3, 2, 4), (4,), (4, 4)]
    values = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    found = []
    for make in (keras.optimizers.AdamW, in_one_pass(keras.optimizers.AdamW)):
        weights = [keras.Variable(value) for value in values]
        optimizer = make(0.01, global_clipnorm=1.0, use_ema=True, ema_momentum=0.9)
        optimizer.build(weights)
        for step in range(3):
            optimizer.learning_rate = 0.01 * (step + 1)
            slopes = [np.random.default_rng(step).normal(size=shape).astype(np.float32) for shape in shapes]
            optimizer.apply([tf.constant(slope) for slope in slopes], weights)
        assert int(optimizer.iterations) == 3
        found.append([np.asarray(value) for value in (*weights, *optimizer.variables)])
    for theirs, ours in zip(*found, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    assert all(np.abs(weight - value).max() > 0.02 for weight, value in zip(found[1], values, strict=False))
