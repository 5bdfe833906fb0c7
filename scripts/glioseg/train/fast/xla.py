"""Chains of small operations compiled as one, on a CPU."""

from collections.abc import Callable

import tensorflow as tf


def on_gpu() -> bool:
    """Whether TensorFlow has a GPU to run on."""
    return bool(tf.config.list_physical_devices("GPU"))


def fuse(function: Callable) -> Callable:
    """The function of tensors, compiled by XLA where this runs on a CPU."""
    if on_gpu():
        return function
    return tf.function(function, jit_compile=True, autograph=False)


def with_gradient(loss: Callable) -> Callable:
    """loss(truth, prediction) -> scalar, with its gradient by the prediction made in the same pass."""
    if on_gpu():
        return loss  # there float16 may want the gradient scaled before it is made

    def value_and_slope(truth, prediction):
        with tf.GradientTape() as tape:
            tape.watch(prediction)
            value = loss(truth, prediction)
        return value, tape.gradient(value, prediction)

    fused = fuse(value_and_slope)

    def apart(truth, prediction):
        @tf.custom_gradient
        def learned(prediction):
            value, slope = fused(truth, prediction)
            return value, lambda upstream: tf.cast(upstream, slope.dtype) * slope

        return learned(prediction)

    return apart
