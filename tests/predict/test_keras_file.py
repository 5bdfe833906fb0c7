"""Test that layers are read from a model file without TensorFlow."""

import pytest
from pictures import keras_file, small_unet

from glioseg.predict.keras_file import read_layers


@pytest.mark.parametrize("single_output", [["o2", 0, 0], [["o2", 0, 0]]])
def test_single_output_is_recorded_in_two_ways(single_output, tmp_path):
    layers = small_unet(32)[:-1]
    assert read_layers(keras_file(tmp_path / "m.keras", layers, single_output))[1] == ["o2"]
