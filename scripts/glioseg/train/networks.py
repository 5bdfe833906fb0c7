"""Segmentation networks by name, each a function of the arguments of `build_network` that makes a Keras model.

It ends in the activation, a softmax or a sigmoid over the outputs, which is float32 under any precision policy: in low
precision the losses' sums over a patch saturate.
"""

import keras
from keras import layers


def original(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """The 3D U-Net of the original recipe, by layer: Conv-Dropout-Conv levels, max pooling, transposed convolutions.

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
    """Our 3D U-Net: all work at half resolution and below, between a stride-2 stem and a transposed convolution.

    Working at half resolution costs an eighth; instance normalization lets it learn from batches of one and bear scans
    that look otherwise; the last transposed convolution gives each of the eight voxels under a half-resolution one
    weights of its own. Raises ValueError for a normalization other than `NORMALIZATIONS`.
    """
    if normalization not in NORMALIZATIONS:
        raise ValueError(f"normalization: {normalization!r} is not known; known are {', '.join(NORMALIZATIONS)}")

    def convolve(x, width, size=3, strides=1, name=None):
        biased = normalization == "none"
        x = layers.Conv3D(width, size, strides, padding="same", use_bias=biased, kernel_initializer="he_normal")(x)
        if normalization == "instance":
            x = layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
        return layers.LeakyReLU(0.01, name=name)(x)

    inputs = keras.Input((*patch, channels), name="image")
    x = convolve(convolve(inputs, filters[0], size=2, strides=2), filters[0])
    skips = []
    for width in filters[1:]:
        skips.append(x)
        x = layers.MaxPooling3D(2)(x)
        x = convolve(convolve(x, width), width)
    for level in reversed(range(len(skips))):
        x = layers.Conv3DTranspose(filters[level], 2, strides=2, use_bias=False)(x)
        x = convolve(layers.concatenate([x, skips[level]]), filters[level])
        x = convolve(x, filters[level], name=f"decoder_{level}")
    x = layers.Conv3DTranspose(outputs, 2, strides=2, name="head")(x)
    return keras.Model(inputs, layers.Activation(activation, dtype="float32", name=activation)(x), name="unet")


def sm_unet(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """The U-Net of segmentation-models-3D around one of its backbones, not pretrained; the decoder has `filters`.

    Raises ValueError naming the known backbones.
    """
    import segmentation_models_3D as sm

    if backbone not in sm.get_available_backbone_names():
        raise ValueError(
            f"backbone: {backbone!r} is not known; known are {', '.join(sm.get_available_backbone_names())}"
        )
    net = sm.Unet(
        backbone,
        input_shape=(*patch, channels),
        classes=outputs,
        encoder_weights=None,
        decoder_filters=tuple(filters[::-1]),
        activation="linear",
    )
    x = layers.Activation(activation, dtype="float32", name=activation)(net.outputs[0])
    return keras.Model(net.inputs, x, name="sm_unet")


NETWORKS = {"unet": unet, "original": original, "sm_unet": sm_unet}
# Of each patch and channel behind a convolution of unet.
NORMALIZATIONS = ("instance", "none")


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
    """The network of that name, with so many outputs a voxel.

    Raises ValueError naming the known ones, or for a patch that its levels can't halve.
    """
    if name not in NETWORKS:
        raise ValueError(f"network: {name!r} is not known; known are {', '.join(NETWORKS)}")
    multiple = patch_multiple(name, len(filters))
    if any(size % multiple for size in patch):
        raise ValueError(f"patch: {list(patch)} must be multiples of {multiple} for {name} with {len(filters)} levels")
    return NETWORKS[name](tuple(patch), channels, outputs, tuple(filters), backbone, normalization, activation)


def patch_multiple(name: str, levels: int) -> int:
    """What a patch's sides must be multiples of, in voxels."""
    return {"unet": 2**levels, "original": 2 ** (levels - 1), "sm_unet": 32}[name]
