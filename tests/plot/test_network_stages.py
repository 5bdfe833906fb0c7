"""The stages of a network follow from its layers."""

import pytest
from pictures import conv, keras_file, small_unet

from glioseg.plot.network_stages import stages
from glioseg.predict.keras_file import read_layers


@pytest.mark.parametrize("size", [32, None])
def test_stages_of_a_small_unet(size, tmp_path):
    layers, outputs = read_layers(keras_file(tmp_path / "m.keras", small_unet(size), [["o2", 0, 0], ["deep", 0, 0]]))
    down, bottom, up = stages(layers, outputs)
    assert [slab.channels for slab in down.slabs] == [3, 8, 8]
    assert (down.size, bottom.size, bottom.factor) == (((32,) * 3, (16,) * 3, 2) if size else ((), (), 2))
    assert bottom.pooled == "max"
    assert [(slab.made_by, slab.channels) for slab in up.slabs] == [("transposed", 8), ("convolution", 8)]
    assert [(source is down, merge, channels) for source, merge, channels in up.skips] == [(True, "concatenate", 8)]
    assert [text[0] + text[-8:] for text in up.outputs + bottom.outputs] == ["4 softmax", "4 sigmoid"]
    assert down.notes["dropout 0.1"] == 1
    assert bottom.notes["Norm"] == 1


def test_a_transposed_convolution_before_the_output_is_a_slab(tmp_path):
    full, half = [None, 8, 8, 8, 4], [None, 4, 4, 4, 4]
    layers = [
        ("InputLayer", "in", {"batch_shape": full}, [], full),
        ("Conv3D", "stem", conv(4, strides=[2, 2, 2]), ["in"], half),
        ("Conv3DTranspose", "head", conv(4, 2, strides=[2, 2, 2], activation="linear"), ["stem"], full),
        ("Activation", "softmax", {"activation": "softmax"}, ["head"], full),
    ]
    plan = stages(*read_layers(keras_file(tmp_path / "m.keras", layers, ["softmax", 0, 0])))
    assert [[slab.made_by for slab in stage.slabs] for stage in plan] == [["input"], ["strided"], ["transposed"]]
    assert "softmax" in plan[-1].outputs[0]


def test_pooling_beside_a_strided_convolution_belongs_to_a_shortcut(tmp_path):
    full, half = [None, 8, 8, 8, 4], [None, 4, 4, 4, 4]
    layers = [
        ("InputLayer", "in", {"batch_shape": full}, [], full),
        ("Conv3D", "a", conv(4), ["in"], full),
        ("Conv3D", "b", conv(4, strides=[2, 2, 2]), ["a"], half),
        ("AveragePooling3D", "pool", {"pool_size": [2, 2, 2], "strides": [2, 2, 2]}, ["a"], half),
        ("Add", "sum", {}, ["b", "pool"], half),
        ("Conv3D", "out", conv(4, 1, activation="softmax"), ["sum"], half),
    ]
    _, below = stages(*read_layers(keras_file(tmp_path / "m.keras", layers, ["out", 0, 0])))
    assert [slab.made_by for slab in below.slabs] == ["strided"]
    assert (below.pooled, below.notes["average pooling"], below.notes["residual sum"]) == ("", 1, 1)
