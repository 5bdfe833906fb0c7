"""Test that the runtime is chosen by the layers of a network."""

import pytest

from glioseg.predict.runtime import choose_runtime, load_networks
from glioseg.train import device


def test_layers_that_openvino_does_not_support_run_on_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "use_threads", lambda threads: None)  # TensorFlow is already running
    from glioseg.train.networks import build_network

    path = tmp_path / "model.keras"
    build_network("sm_unet", (32, 32, 32), 1, 4, (4, 8, 8, 16, 16), "mobilenet").save(path)
    assert choose_runtime("auto", [path]) == "tensorflow"
    with pytest.raises(
        ValueError, match=r"has a layer of type ReLU; supported on OpenVINO are .*; predict with runtime: tensorflow"
    ):
        list(load_networks([path], "openvino", 2))
    path.write_bytes(b"no network")
    for runtime in ("openvino", "tensorflow"):
        with pytest.raises(ValueError, match=r"model.keras cannot be read as a network .* delete it and run again"):
            list(load_networks([path], runtime, 2))
    with pytest.raises(ValueError, match="expected one of auto, openvino, tensorflow"):
        choose_runtime("abacus", [path])
