"""U-Nets at full resolution, with the arguments of `networks.build_network`; each ends in its activation."""

import keras
from keras import layers

from glioseg.train.unets.parts import convolver, decode

# Residual blocks of each level; levels below the last number have as many.
BLOCKS = (1, 3, 4, 6, 6, 6)


def unet_full(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """The 3D U-Net of nnU-Net (Isensee 2021, doi:10.1038/s41592-020-01008-z), at full resolution, for GPUs.

    Each level has two convolutions; in the encoder, the first of a level below the top has a stride of 2. Raises
    ValueError for a normalization other than `LAYER_NORMALIZATIONS`.
    """
    convolve = convolver(normalization)
    inputs = x = keras.Input((*patch, channels), name="image")
    skips = []
    for level, width in enumerate(filters):
        x = convolve(convolve(x, width, strides=2 if level else 1), width)
        skips.append(x)
    x = layers.Conv3D(outputs, 1, name="head")(decode(x, skips[:-1], filters, convolve, 2))
    return keras.Model(inputs, layers.Activation(activation, dtype="float32", name=activation)(x), name="unet_full")


def unet_residual(
    patch, channels: int, outputs: int, filters, backbone: str, normalization: str, activation: str
) -> keras.Model:
    """`unet_full` with the residual encoder of nnU-Net (Isensee 2024, arXiv:2404.09556): `BLOCKS` of two convolutions.

    The shortcut of a block averages 2x2x2 voxels if the block halves the resolution. The decoder has one convolution at
    each level. Raises ValueError for a normalization other than `LAYER_NORMALIZATIONS`.
    """
    convolve = convolver(normalization)
    inputs = keras.Input((*patch, channels), name="image")
    x, skips = convolve(inputs, filters[0]), []
    for level, width in enumerate(filters):
        for block in range(BLOCKS[min(level, len(BLOCKS) - 1)]):
            strides, shortcut = 2 if level and not block else 1, x
            x = convolve(convolve(x, width, strides=strides), width, active=False)
            if strides > 1:
                shortcut = layers.AveragePooling3D(2)(shortcut)
            if shortcut.shape[-1] != width:
                shortcut = convolve(shortcut, width, size=1, active=False)
            x = layers.LeakyReLU(0.01)(layers.add([x, shortcut]))
        skips.append(x)
    x = layers.Conv3D(outputs, 1, name="head")(decode(x, skips[:-1], filters, convolve, 1))
    return keras.Model(inputs, layers.Activation(activation, dtype="float32", name=activation)(x), name="unet_residual")
