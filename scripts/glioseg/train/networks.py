"""Segmentation networks by name, each a function that makes a Keras model from the arguments of `build_network`.

The model ends in its activation, a softmax or a sigmoid over the outputs. It is float32 under any precision policy,
because the losses' sums over a patch saturate in low precision.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import keras
import tensorflow as tf
from keras import layers, ops

from glioseg.choices import choose
from glioseg.train.unets.full import unet_full, unet_residual
from glioseg.train.unets.parts import convolver, decode


def original(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """The 3D U-Net of the original recipe: levels of Conv-Dropout-Conv, max pooling, transposed convolutions.

    With filters 16, 32, 64, 128, 256 it has 5,645,828 parameters for three channels and four classes.
    """
    dropouts = [0.1 * (1 + level // 2) for level in range(len(filters))]

    def level(x, width, dropout):
        x = layers.Conv3D(width, 3, activation="relu", kernel_initializer="he_uniform", padding="same")(x)
        x = layers.Dropout(dropout)(x)
        return layers.Conv3D(width, 3, activation="relu", kernel_initializer="he_uniform", padding="same")(x)

    inputs = x = keras.Input((*patch, channels), name="image")
    skips = []
    for width, dropout in zip(filters[:-1], dropouts[:-1], strict=True):
        x = level(x, width, dropout)
        skips.append(x)
        x = layers.MaxPooling3D(2)(x)
    x = level(x, filters[-1], dropouts[-1])
    for width, dropout, skip in reversed(list(zip(filters[:-1], dropouts[:-1], skips, strict=True))):
        x = layers.Conv3DTranspose(width, 2, strides=2, padding="same")(x)
        x = level(layers.concatenate([x, skip]), width, dropout)
    x = layers.Conv3D(outputs, 1, activation=activation, dtype="float32", name=activation)(x)
    return keras.Model(inputs, x, name="original")


def unet(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """This project's 3D U-Net: half resolution and below, between a stride-2 stem and a transposed convolution.

    A convolution at half resolution costs an eighth. Instance normalization allows batches of one and makes the network
    more robust to unusual scans. The last transposed convolution has separate weights for each of the eight voxels that
    a half-resolution voxel covers, which shows as a lattice; the convolution after it mixes neighbors. Raises
    ValueError for a normalization other than `LAYER_NORMALIZATIONS`.
    """
    convolve = convolver(normalization)
    inputs = keras.Input((*patch, channels), name="image")
    x = convolve(convolve(inputs, filters[0], size=2, strides=2), filters[0])
    skips = []
    for width in filters[1:]:
        skips.append(x)
        x = layers.MaxPooling3D(2)(x)
        x = convolve(convolve(x, width), width)
    x = decode(x, skips, filters, convolve, 2)
    x = layers.Conv3DTranspose(outputs, 2, strides=2, name="head")(x)
    x = layers.Conv3D(outputs, 3, padding="same", name="mixed_head")(x)
    return keras.Model(inputs, layers.Activation(activation, dtype="float32", name=activation)(x), name="unet")


def sm_unet(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """The U-Net of segmentation-models-3D with a backbone, not pretrained; `filters` are the widths of its decoder.

    Raises ValueError for an unknown backbone, listing the known ones, and for another number of filters than five.
    """
    import segmentation_models_3D as sm

    choose("backbone", backbone, sm.get_available_backbone_names())
    if len(filters) != SM_LEVELS:
        raise ValueError(f"filters: expected {SM_LEVELS} numbers for sm_unet, found {len(filters)}: {list(filters)}")
    net = sm.Unet(
        backbone,
        input_shape=(*patch, channels),
        classes=outputs,
        encoder_weights=None,
        decoder_filters=tuple(filters[::-1]),
        activation="linear",
    )
    x = layers.Activation(activation, dtype="float32", name=activation)(net.outputs[0])
    return keras.Model(net.inputs[0], x, name="sm_unet")


HALF = {"cpu": (24, 48, 96, 192), "gpu": (32, 64, 128, 256, 320)}
# Each backbone halves a patch five times.
SM_LEVELS = 5


class Architecture(NamedTuple):
    """The function that builds a network, and what a patch's sides (voxels) must be multiples of, given the levels.

    widths: channels of the levels on a device, "cpu" or "gpu", for `train: filters: auto`.
    """

    build: Callable[..., keras.Model]
    patch_multiple: Callable[[int], int]
    widths: Mapping[str, tuple[int, ...]] = MappingProxyType(HALF)


# At full resolution, a CPU has time for a thin network only. On a GPU as in nnU-Net.
FULL = {"cpu": (8, 16, 32, 64, 80), "gpu": (32, 64, 128, 256, 320, 320)}
NETWORKS = {
    "unet": Architecture(unet, lambda levels: 2**levels),
    "unet_full": Architecture(unet_full, lambda levels: 2 ** (levels - 1), FULL),
    "unet_residual": Architecture(unet_residual, lambda levels: 2 ** (levels - 1), FULL),
    "original": Architecture(original, lambda levels: 2 ** (levels - 1)),
    "sm_unet": Architecture(sm_unet, lambda levels: 2**SM_LEVELS, HALF | {"cpu": (16, 32, 64, 128, 256)}),
}


def build_network(
    name: str,
    patch,
    channels: int,
    outputs: int,
    filters,
    backbone: str,
    normalization: str = "instance",
    activation: str = "softmax",
) -> keras.Model:
    """Build the named network with this number of outputs per voxel.

    Raises ValueError for an unknown name, listing the known ones, and for a patch that its levels cannot halve.
    """
    multiple = patch_multiple(name, len(filters))
    if any(size % multiple for size in patch):
        raise ValueError(f"patch: {list(patch)} must be multiples of {multiple} for {name} with {len(filters)} levels")
    return NETWORKS[name].build(tuple(patch), channels, outputs, tuple(filters), backbone, normalization, activation)


def patch_multiple(name: str, levels: int) -> int:
    """Return what the sides of a patch must be multiples of, in voxels."""
    return choose("network", name, NETWORKS).patch_multiple(levels)


def widths(name: str, device: str) -> tuple[int, ...]:
    """Return the channels of the levels of a network on a device, "cpu" or "gpu", for `train: filters: auto`."""
    return choose("network", name, NETWORKS).widths[device]


def resized(model: keras.Model, patch: Sequence[int]) -> keras.Model:
    """Return a model with the same layers and weights for patches of another size (voxels)."""
    image = keras.Input((*patch, model.input_shape[-1]))
    return keras.models.clone_model(model, image, clone_function=lambda layer: layer)


class Supervised(keras.Model):
    """Deep supervision: the loss also includes the coarser outputs, with half the weight per level.

    Isensee et al. 2018, arXiv:1809.10486. Only the first output is scored. All outputs are compared with the same
    classes (batch, X, Y, Z), which the loss averages to the output's grid.
    """

    def compile(self, optimizer, loss, metrics):
        super().compile(optimizer, metrics=metrics)
        self.level_loss = loss

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total, weights = 0.0, 0.0
        predictions = sorted(keras.tree.flatten(y_pred), key=lambda prediction: -prediction.shape[1])
        for level, prediction in enumerate(predictions):
            weight = 0.5**level
            total, weights = total + weight * ops.mean(self.level_loss(y, prediction)), weights + weight
        # Keras sums the gradients of several devices.
        return total / weights / tf.distribute.get_strategy().num_replicas_in_sync

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, keras.tree.flatten(y_pred)[0], sample_weight)


def supervise(model: keras.Model) -> Supervised:
    """Add an output with the network's activation to each coarser level of its decoder.

    The two models share their layers, so training the returned model trains the network. Raises ValueError for a
    network whose decoder has no layers decoder_0 (the finest), decoder_1, …
    """
    levels = [layer for layer in model.layers if layer.name.startswith("decoder_")]
    if not levels:
        raise ValueError(
            f"deep_supervision: {model.name} has no decoder levels to supervise; use another network or turn it off"
        )
    activation = model.layers[-1].activation
    outputs = [model.output]
    for layer in levels:
        if layer.name != "decoder_0":
            x = layers.Conv3D(model.output_shape[-1], 1, name=f"head_{layer.name}")(layer.output)
            outputs.append(layers.Activation(activation, dtype="float32", name=f"output_{layer.name}")(x))
    return Supervised(model.input, outputs, name=model.name)
