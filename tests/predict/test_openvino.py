"""Test that OpenVINO and TensorFlow predict the same."""

import numpy as np
import pytest

from glioseg.predict.runtime import choose_runtime, load_networks
from glioseg.train import device


@pytest.mark.parametrize(
    ("name", "filters", "backbone", "normalization"),
    [
        ("unet", (4, 8, 16), "", "instance"),
        ("unet", (4, 8, 16), "", "none"),
        ("unet", (4, 8, 16), "", "batch"),
        ("unet_full", (4, 8, 16), "", "instance"),
        ("unet_residual", (4, 8, 16), "", "instance"),
        ("unet_residual", (4, 8, 16), "", "batch"),
        ("original", (4, 8, 16), "", "none"),
        ("sm_unet", (4, 8, 8, 16, 16), "resnet18", "none"),
        ("sm_unet", (4, 8, 8, 16, 16), "vgg16", "none"),
    ],
)
def test_openvino_and_tensorflow_predict_alike(name, filters, backbone, normalization, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "use_threads", lambda threads: None)  # TensorFlow is already running
    import keras

    from glioseg.train.networks import build_network

    keras.utils.set_random_seed(1)
    model = build_network(name, (32, 32, 32), 2, 4, filters, backbone, normalization)
    random = np.random.default_rng(0)
    # Change the initial weights, which leave normalizations and biases without effect.
    weights = model.get_weights()
    model.set_weights([value + random.uniform(0, 0.1, value.shape) * (value.ndim == 1) for value in weights])
    path = tmp_path / "model.keras"
    model.save(path)
    assert choose_runtime("auto", [path]) == "openvino"
    patches = random.normal(size=(7, 2, 32, 32, 32)).astype(np.float32)
    found = {}
    for runtime in ("openvino", "tensorflow"):
        (network,) = load_networks([path], runtime, 2)
        assert (tuple(network.patch), network.channels) == ((32, 32, 32), 2)
        found[runtime] = np.array([softmax.copy() for softmax in network.predict(patches)])
    assert found["openvino"].shape == (7, 4, 32, 32, 32)
    assert found["openvino"] == pytest.approx(found["tensorflow"], abs=1e-4)
    assert found["openvino"].std() > 0.01
    # Patches that run in parallel keep their order, and the number of threads does not change a single bit.
    (alone,) = load_networks([path], "openvino", 1)
    for patch, one in zip(patches, found["openvino"], strict=True):
        assert (next(alone.predict([patch])) == one).all()


@pytest.mark.parametrize("has", [True, False])
def test_networks_trained_in_bfloat16_predict_in_it_if_the_processor_has_it(has, policy, tmp_path, monkeypatch):
    import keras

    from glioseg.predict import openvino
    from glioseg.train.networks import build_network

    if has and not device.has_bfloat16():
        pytest.skip("this processor has no bfloat16")
    monkeypatch.setattr(openvino, "has_bfloat16", lambda: has)
    found, patch = {}, np.random.default_rng(0).normal(size=(2, 32, 32, 32)).astype(np.float32)
    for precision in ("float32", "mixed_bfloat16"):
        policy(precision)
        keras.utils.set_random_seed(1)
        build_network("unet", (32, 32, 32), 2, 4, (4, 8, 16), "").save(tmp_path / f"{precision}.keras")
        policy("float32")
        compiled = openvino.compile_network(tmp_path / f"{precision}.keras", 2)
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        assert hint == ("bf16" if has and precision == "mixed_bfloat16" else "f32")
        found[precision] = next(openvino.predict_patches(compiled, [patch])).copy()
    # The softmax is float32 even then: its sums are 1 to single precision.
    assert found["mixed_bfloat16"].sum(0) == pytest.approx(1, abs=1e-6)
    assert found["mixed_bfloat16"] == pytest.approx(found["float32"], abs=0.03)
    assert (found["mixed_bfloat16"] == found["float32"]).all() != has
