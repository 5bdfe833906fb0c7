"""On a CPU, chains of small operations as one: XLA reads the memory once, instead of once per operation.

Convolutions and pooling stay with oneDNN, because XLA is many times slower at them. On a GPU nothing is changed.

They save 15 of 300 ms per training step in float32 and 19 of 226 ms in bfloat16 (benchmarks/fast.py, two cores of an
AMD EPYC, 2026-11-28); with batch normalization, 64 of 323 ms in bfloat16 (of an Intel Xeon with AMX, 2026-11-29).

They use these private parts of Keras: `_keras_history` of tensors, `_nodes_by_depth` of models, and `_outbound_nodes`
of layers.
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from keras import layers, ops

from glioseg.train.fast.xla import fuse, on_gpu


class NormalizeAndActivate(layers.Layer):
    """Replacement of an instance normalization and the LeakyReLU after it, if any, for inputs (B, X, Y, Z, C).

    Moments are float32 and computed in one pass: the variance is the mean of squares minus the square of the mean.
    """

    def __init__(
        self, norm: layers.GroupNormalization | layers.BatchNormalization, activation: layers.LeakyReLU | None
    ):
        super().__init__(name=(activation or norm).name, autocast=False)
        self.norm = norm
        self.slope, self.epsilon = activation.negative_slope if activation else 1.0, norm.epsilon
        self.forward, self.backward = fuse(self._forward), fuse(self._backward)

    def call(self, x):
        rows = ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3], x.shape[4]))
        gamma, beta = (tf.convert_to_tensor(values) for values in (self.norm.gamma, self.norm.beta))

        @tf.custom_gradient
        def fused(rows, gamma, beta):
            y, mean, scale = self.forward(rows, gamma, beta)
            return y, lambda slopes: self.backward(rows, slopes, mean, scale, gamma, beta)

        return ops.reshape(fused(rows, gamma, beta), (-1, *x.shape[1:]))

    def _forward(self, x, gamma, beta):
        """x (B, voxels, C) -> the output, of the same shape, and the mean and 1 / standard deviation (B, 1, C) of x."""
        values = tf.cast(x, tf.float32)
        mean = tf.reduce_mean(values, 1, keepdims=True)
        variance = tf.maximum(tf.reduce_mean(values * values, 1, keepdims=True) - mean * mean, 0)
        scale = tf.math.rsqrt(variance + self.epsilon)
        y = values * (gamma * scale) + (beta - mean * gamma * scale)
        return tf.cast(tf.where(y > 0, y, self.slope * y), x.dtype), mean, scale

    def _backward(self, x, slopes, mean, scale, gamma, beta):
        """Gradients for x, gamma and beta (Ioffe and Szegedy 2015, arXiv:1502.03167, section 3, over one volume)."""
        normal = (tf.cast(x, tf.float32) - mean) * scale
        slopes = tf.cast(slopes, tf.float32) * tf.where(normal * gamma + beta > 0, 1.0, self.slope)
        by_beta = tf.reduce_sum(slopes, 1, keepdims=True)
        by_gamma = tf.reduce_sum(slopes * normal, 1, keepdims=True)
        voxels = x.shape[1] or tf.cast(tf.shape(x)[1], tf.float32)
        by_x = gamma * scale * (slopes - (by_beta + normal * by_gamma) / voxels)
        return tf.cast(by_x, x.dtype), tf.reduce_sum(by_gamma, (0, 1)), tf.reduce_sum(by_beta, (0, 1))

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


class NormalizeBatchAndActivate(NormalizeAndActivate):
    """Replacement of a batch normalization and the LeakyReLU after it, if any, for inputs (B, X, Y, Z, C).

    While it trains, it has the moments of the batch, and its moving averages follow them; otherwise it is Keras' own.
    """

    def call(self, x, training=None):
        # Keras, too, uses the moving averages of a frozen layer.
        if not (training and self.norm.trainable):
            y = self.norm(x, training=False)
            return y if self.slope == 1 else ops.leaky_relu(y, self.slope)
        gamma, beta = (tf.convert_to_tensor(values) for values in (self.norm.gamma, self.norm.beta))

        @tf.custom_gradient
        def fused(rows, gamma, beta):
            y, mean, scale = self.forward(rows, gamma, beta)

            def gradient(slopes, *_):
                return self.backward(rows, slopes, mean, scale, gamma, beta)

            return (y, mean, scale), gradient

        y, mean, scale = fused(ops.reshape(x, (1, -1, x.shape[4])), gamma, beta)
        kept, variance = self.norm.momentum, 1 / scale**2 - self.epsilon
        for moving, value in ((self.norm.moving_mean, mean), (self.norm.moving_variance, variance)):
            moving.assign(kept * moving + (1 - kept) * tf.stop_gradient(ops.reshape(value, (-1,))))
        return ops.reshape(y, (-1, *x.shape[1:]))

    def compute_output_spec(self, x, training=None):
        return super().compute_output_spec(x)


class Convolution(layers.Layer):
    """Replacement of a convolution whose gradients TensorFlow gets wrong on a CPU in bfloat16.

    The gradient of its bias is summed in float32: bfloat16 has eight bits, and the sum over a patch stops growing after
    some hundreds of summands. Images that are no longer than the kernel along an axis are computed in float32: there,
    oneDNN's gradient of the kernel reads memory that nobody wrote (TensorFlow 2.21, AVX-512 with bfloat16).
    """

    def __init__(self, convolution: layers.Conv3D | layers.Conv3DTranspose):
        super().__init__(name=convolution.name, autocast=False)
        self.convolution = convolution

    def call(self, x):
        convolution, short = self.convolution, self.convolution.compute_dtype
        dtype = "float32" if _is_small(x, convolution) else short
        y = convolution.convolution_op(*self.cast(dtype, x, convolution.kernel))
        # Not Keras' own sum, which would be BiasAdd with its low-precision gradient again.
        y = tf.add(y, *self.cast(dtype, convolution.bias)) if convolution.use_bias else y
        return tf.cast(convolution.activation(y), short)

    def cast(self, dtype, *values):
        return [tf.cast(tf.convert_to_tensor(value), dtype) for value in values]

    def compute_output_spec(self, x):
        return keras.KerasTensor(self.convolution.compute_output_shape(x.shape), self.convolution.compute_dtype)


class TransposedConvolution(Convolution):
    """The same for a 2x2x2 transposed convolution of stride 2, as one matrix product whose rows are rearranged."""

    def call(self, x):
        batch, sides, dtype = ops.shape(x)[0], x.shape[1:4], self.convolution.compute_dtype
        x, kernel = self.cast(dtype, x, self.convolution.kernel)
        width, channels = kernel.shape[3:]
        y = ops.matmul(ops.reshape(x, (-1, channels)), ops.transpose(ops.reshape(kernel, (-1, channels))))
        if self.convolution.use_bias:
            y = tf.add(y, tf.tile(*self.cast(dtype, self.convolution.bias), [8]))
        y = ops.transpose(ops.reshape(y, (batch, *sides, 2, 2, 2, width)), (0, 1, 4, 2, 5, 3, 6, 7))
        return ops.reshape(y, (batch, *(2 * side for side in sides), width))


def learner(model: keras.Model) -> tuple[keras.Model, Callable]:
    """Return a network with the same layers and weights that trains faster, and the activation of its outputs.

    The activations of the outputs are left out (unless they are part of a convolution). On a CPU, an instance or batch
    normalization is fused with the LeakyReLU that follows it.
    """
    ends = {id(output._keras_history.operation): output._keras_history.operation for output in model.outputs}
    drop = all(isinstance(layer, layers.Activation) for layer in ends.values())
    fused = {} if on_gpu() else _fused(model)

    def call(layer, x, *arguments, **named):
        if drop and id(layer) in ends:
            return x
        # The arguments of a recorded call, such as no mask, are Keras' defaults.
        return fused[id(layer)](x) if id(layer) in fused else layer(x, *arguments, **named)

    again = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    if not drop:
        return again, lambda outputs: outputs
    activation = next(iter(ends.values())).activation
    return again, lambda outputs: activation(ops.cast(outputs, "float32"))


def _fused(model: keras.Model) -> dict[int, Callable]:
    """Replacements of layers, by the id of the layer."""
    fused = {id(layer): TransposedConvolution(layer) for layer in model.layers if _is_doubling(layer)}
    fused |= {id(layer): Convolution(layer) for layer in model.layers if _in_low_precision(layer)}
    for norm, leaky in _pairs(model):
        fused |= {id(norm): lambda x: x} if leaky else {}
        of_batch = isinstance(norm, layers.BatchNormalization)
        fused[id(leaky or norm)] = (NormalizeBatchAndActivate if of_batch else NormalizeAndActivate)(norm, leaky)
    return fused


def _pairs(model: keras.Model) -> list[tuple[layers.Layer, layers.LeakyReLU | None]]:
    """Pairs of an instance or batch normalization and a LeakyReLU, the only layer that uses its output, or None."""
    nodes = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    pairs = []
    for layer in model.layers:
        if not (_of_instance(layer) or _of_batch(layer)):
            continue
        readers = [node.operation for node in layer._outbound_nodes if id(node) in nodes]
        followed = len(readers) == 1 and isinstance(readers[0], layers.LeakyReLU)
        pairs.append((layer, readers[0] if followed else None))
    return pairs


def _of_instance(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.GroupNormalization) and layer.groups in (-1, layer.gamma.shape[0])


def _of_batch(layer: layers.Layer) -> bool:
    """Whether a layer is a batch normalization of the last axis of volumes, with a weight for its scale and center."""
    return (
        isinstance(layer, layers.BatchNormalization)
        and layer.scale
        and layer.center
        and not layer.renorm
        and layer.axis in (-1, 4)
    )


def _is_doubling(layer: layers.Layer) -> bool:
    """Whether a layer is a 2x2x2 transposed convolution of stride 2 without activation or output padding."""
    return (
        isinstance(layer, layers.Conv3DTranspose)
        and layer.kernel_size == layer.strides == (2, 2, 2)
        and layer.output_padding is None
        and layer.activation is keras.activations.linear
    )


def _in_low_precision(layer: layers.Layer) -> bool:
    return isinstance(layer, layers.Conv3D) and layer.compute_dtype != "float32"


def _is_small(x, layer: layers.Conv3D) -> bool:
    return any(side <= length for side, length in zip(x.shape[1:4], layer.kernel_size, strict=True))
