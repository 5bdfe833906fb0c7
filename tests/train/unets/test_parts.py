"""A convolution comes with its normalization and activation, and the way up ends in named layers."""

import pytest

from glioseg.train import device  # noqa: F401  (before TensorFlow)


@pytest.mark.parametrize(
    ("normalization", "layer"), [("instance", "GroupNormalization"), ("batch", "BatchNormalization"), ("none", "")]
)
def test_a_convolution_is_followed_by_its_normalization_and_by_a_leaky_relu_if_it_is_active(normalization, layer):
    import keras

    from glioseg.train.unets.parts import convolver

    convolve, inputs = convolver(normalization), keras.Input((8, 8, 8, 2))
    kinds = []
    for active in (True, False):
        model = keras.Model(inputs, convolve(inputs, 4, strides=2, active=active))
        assert model.output_shape == (None, 4, 4, 4, 4)
        assert model.layers[1].use_bias == (normalization == "none")
        kinds.append([type(part).__name__ for part in model.layers[1:]])
    norm = [layer] if layer else []
    assert kinds == [["Conv3D", *norm, "LeakyReLU"], ["Conv3D", *norm]]


def test_the_way_up_ends_each_level_in_a_layer_that_deep_supervision_finds():
    import keras

    from glioseg.train.unets.parts import convolver, decode

    skips = [keras.Input((8, 8, 8, 2)), keras.Input((4, 4, 4, 3))]
    bottom = keras.Input((2, 2, 2, 5))
    model = keras.Model([*skips, bottom], decode(bottom, skips, (2, 3, 5), convolver("none"), 2))
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers if layer.name.startswith("decoder_")}
    assert shapes == {"decoder_1": (4, 4, 4, 3), "decoder_0": (8, 8, 8, 2)}
    assert sum(isinstance(layer, keras.layers.Conv3D) for layer in model.layers) == 4
