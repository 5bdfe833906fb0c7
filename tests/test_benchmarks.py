"""Benchmarks that are to run on other machines run here in a tiny form."""

import json
import subprocess
import sys

from studies import ROOT


def test_the_benchmark_of_a_gpu_runs_on_a_cpu(preprocessed, tmp_path):
    words = [sys.executable, ROOT / "benchmarks/gpu.py", "--preprocess", preprocessed, "--minutes", 0.02, "--patch", 16]
    words += ["--filters", 4, "--filters", 8, "--steps", 2, "--output", tmp_path / "gpu.json"]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "gpu.json").read_text())
    assert "unet_full of 4-8, 2 patches of 16x16x16 voxels" in found["plan"]
    assert set(found["dice"]) == {"WT", "TC", "ET"}
    assert all(0 <= value <= 1 for value in found["dice"].values())
    names = ("seconds_bare", "seconds_fed", "patches_per_second_fed", "share_of_matrix_product", "prediction_seconds")
    assert all(found[name] > 0 for name in names)
    assert found["planned_bytes"] > 0 < found["peak_bytes"]
