"""A network as ONNX predicts the same as the network, in patches of any size, and always has the same bytes."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from examples import TISSUES
from trainings import model_of

from glioseg.export.onnx import onnx_network, onnx_networks
from glioseg.predict.runtime import load_networks
from glioseg.train import device

REGIONS = ("WT", "TC", "ET")
FACTS = {"settings": {"classes": list(TISSUES)}, "study": {"modalities": ["flair", "t1ce"]}}


def network(folder, name="unet", normalization="instance", targets="classes", filters=(4, 8, 16), side=32, backbone=""):
    """Write a network that was never trained, with what stands beside it, and return it with its file."""
    import keras

    from glioseg.train.networks import build_network

    keras.utils.set_random_seed(1)
    outputs, activation = (4, "softmax") if targets == "classes" else (3, "sigmoid")
    model = build_network(name, (side,) * 3, 2, outputs, filters, backbone, normalization, activation)
    random = np.random.default_rng(0)
    # Change the initial weights, which leave normalizations and biases without effect.
    weights = model.get_weights()
    model.set_weights([value + random.uniform(0, 0.1, value.shape) * (value.ndim == 1) for value in weights])
    folder.mkdir(exist_ok=True)
    model.save(folder / "model.keras")
    facts = FACTS | {"settings": FACTS["settings"] | {"targets": targets}}
    (folder / "settings.json").write_text(json.dumps(facts))
    return model, folder / "model.keras"


def run(path, patches):
    (content,), reason = onnx_networks([path])
    assert reason == ""
    return onnxruntime.InferenceSession(content).run(["probabilities"], {"image": patches})[0]


DEEP = (4, 8, 8, 16, 16)


@pytest.mark.parametrize(
    "words",
    [
        {"normalization": "instance", "targets": "classes"},
        {"normalization": "instance", "targets": "regions"},
        {"normalization": "none", "targets": "classes"},
        {"normalization": "none", "targets": "regions"},
        {"name": "original"},
        {"name": "sm_unet", "backbone": "resnet18", "filters": DEEP},
        {"name": "sm_unet", "backbone": "vgg16", "filters": DEEP},
    ],
    ids=lambda words: " ".join(value for value in words.values() if isinstance(value, str)),
)
def test_onnxruntime_predicts_what_the_network_does(words, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "use_threads", lambda threads: None)  # TensorFlow is already running
    _, path = network(tmp_path, **words)
    patches = np.random.default_rng(0).normal(size=(2, 2, 32, 32, 32)).astype(np.float32)
    found = run(path, patches)
    assert found.std() > 0.01
    for runtime in ("tensorflow", "openvino"):
        (same,) = load_networks([path], runtime, 2)
        assert found == pytest.approx(np.array([one.copy() for one in same.predict(patches)]), abs=1e-4)
    onnx.checker.check_model(onnx_network(path), full_check=True)


@pytest.mark.parametrize("normalization", ["instance", "none"])
def test_patches_may_have_any_size_and_number(normalization, tmp_path):
    _, path = network(tmp_path / "trained", normalization=normalization)
    model, _ = network(tmp_path / "large", normalization=normalization, side=48)
    patches = np.random.default_rng(0).normal(size=(3, 2, 48, 48, 48)).astype(np.float32)
    expected = np.moveaxis(np.asarray(model(np.moveaxis(patches, 1, -1))), -1, 1)
    assert run(path, patches) == pytest.approx(expected, abs=1e-4)
    assert run(path, patches[:1, :, :, :32, :16]).shape == (1, 4, 48, 32, 16)


def test_a_network_of_bfloat16_is_written_in_float32(policy, tmp_path):
    _, path = network(tmp_path / "float32")
    policy("mixed_bfloat16")
    _, low = network(tmp_path / "bfloat16")
    policy("float32")
    assert onnx_networks([low]) == onnx_networks([path])


def test_the_same_network_gives_the_same_bytes_and_says_its_channels(tmp_path):
    _, path = network(tmp_path, targets="regions")
    assert onnx_networks([path, path])[0] == onnx_networks([path])[0] * 2
    graph = onnx_network(path).graph
    described = [(one.name, one.doc_string) for one in (*graph.input, *graph.output)]
    assert described == [("image", "channels: flair, t1ce"), ("probabilities", "channels: WT, TC, ET")]
    shapes = [[side.dim_param or side.dim_value for side in one.type.tensor_type.shape.dim] for one in graph.output]
    assert shapes == [["batch", 3, "X", "Y", "Z"]]


def other_layers():
    import keras

    image = keras.Input((16, 16, 16, 2))
    layers = keras.layers
    yield layers.AveragePooling3D(2)(image), "a layer of type AveragePooling3D; expected Conv3D, "
    yield layers.Conv3D(4, 3, dilation_rate=2, padding="same")(image), "dilated or grouped convolutions"
    yield layers.Conv3DTranspose(4, 3, strides=2, padding="same")(image), "whose kernel size and stride differ"
    yield layers.GroupNormalization(1)(image), "a group normalization of several channels"
    yield layers.Activation("tanh")(image), "the activation tanh; expected linear, "


def test_a_network_that_cannot_be_written_has_a_reason(tmp_path):
    import keras

    (tmp_path / "settings.json").write_text(json.dumps(FACTS))
    for output, words in other_layers():
        model = keras.Model(output._keras_history.operation.input, output)
        model.save(tmp_path / "model.keras")
        found, reason = onnx_networks([tmp_path / "model.keras"])
        assert found == [] and reason.startswith("the network has ") and words in reason


def test_a_damaged_model_is_named(tmp_path):
    # It has no weights.
    path = model_of(tmp_path / "A", study={"modalities": ["t1"]})
    with pytest.raises(ValueError, match=r"A/model\.keras cannot be read as a network"):
        onnx_networks([path])
