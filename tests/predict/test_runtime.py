"""Test that the runtime is chosen by the layers of a network."""

import os
import subprocess
import sys

import pytest
from studies import ROOT

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


def test_openvino_reports_its_use_to_no_host(tmp_path):
    """With this package, which pip installs, OpenVINO asks a host on the network when it is imported."""
    package = tmp_path / "openvino_telemetry"
    package.mkdir()
    (package / "__init__.py").write_text("print('asked')\n")
    guarded = "from glioseg.predict import runtime; import openvino"
    for code, printed in (("import openvino", "asked\n"), (guarded, "")):
        environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT / 'scripts'}"}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, printed), done.stderr
