"""Parts of the U-Nets: a convolution with its normalization and activation, and the way up."""

from collections.abc import Callable

from keras import layers

from glioseg.choices import choose

# After each convolution: of each patch and channel, of each channel over the batch, or none.
LAYER_NORMALIZATIONS = ("instance", "batch", "none")


def convolver(normalization: str) -> Callable:
    """Return a function that adds a convolution, its normalization and, if it is active, a LeakyReLU to a network."""
    choose("normalization", normalization, LAYER_NORMALIZATIONS)

    def convolve(x, width, size=3, strides=1, name=None, active=True):
        biased = normalization == "none"
        x = layers.Conv3D(width, size, strides, padding="same", use_bias=biased, kernel_initializer="he_normal")(x)
        if normalization == "instance":
            x = layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
        elif normalization == "batch":
            x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
        return layers.LeakyReLU(0.01, name=name)(x) if active else x

    return convolve


def decode(x, skips: list, filters, convolve: Callable, convolutions: int):
    """Add the way up: at each level a transposed convolution, the skip connection, and convolutions.

    The last layer of each level is named decoder_0 (the finest), decoder_1, …
    """
    for level in reversed(range(len(skips))):
        x = layers.Conv3DTranspose(filters[level], 2, strides=2, use_bias=False)(x)
        x = layers.concatenate([x, skips[level]])
        for left in reversed(range(convolutions)):
            x = convolve(x, filters[level], name=None if left else f"decoder_{level}")
    return x
