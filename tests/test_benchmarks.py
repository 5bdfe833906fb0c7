"""Benchmarks that are to run on other machines run here in a tiny form."""

import importlib
import json
import subprocess
import sys

import numpy as np
import pytest
from studies import ROOT

from glioseg.labels import CLASSES
from glioseg.volumes.nifti import read_volume, write_volume


@pytest.fixture
def benchmark(monkeypatch):
    """A function that imports a benchmark by its name."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


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


def test_a_change_of_intensities_takes_the_background_for_zero(tmp_path, benchmark):
    """BraTS 2013 has a background below zero, around which noise and powers mean nothing."""
    robustness = benchmark("robustness")
    random = np.random.default_rng(5)
    volume = np.zeros((6, 6, 6), np.float32)
    volume[1:5, 1:5, 1:5] = random.uniform(1, 9, (4, 4, 4))
    changed = []
    for air in (0, -4):
        write_volume(tmp_path / "flair.nii", volume + np.float32(air), np.eye(4))
        scan = {"modalities": ["flair"], "intensities": {"flair": {"background": air}}}
        files = robustness.changed_scan(
            scan, {"flair": (tmp_path / "flair.nii", 0)}, "intensities to the power of 1.5", tmp_path, 1
        )
        changed.append(read_volume(*files["flair"])[0] - air)
    assert changed[0] == pytest.approx(changed[1], abs=1e-5)
    assert not np.allclose(changed[0], volume)


def test_the_spread_of_a_texture_is_its_standard_deviation(benchmark):
    textures = benchmark("textures")
    inside = np.zeros((40, 40, 40), bool)
    inside[5:35, 5:35, 5:35] = True
    noise = np.random.default_rng(5).normal(3, 2, inside.shape).astype(np.float32)
    assert textures.measured(noise, inside) == pytest.approx((3, 2, 2), abs=0.05)
    # What changes slowly has no spread within millimeters: 80 % of a ramp from 5 to 34 in 2.56 standard deviations.
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32), inside.shape)
    middle, spread, fine = textures.measured(ramp, inside)
    assert (middle, spread) == pytest.approx((19.5, 24 / 2.56), abs=0.5)
    assert fine < 0.5


def test_textures_leave_out_the_border_of_a_tissue(benchmark):
    textures = benchmark("textures")
    brain = np.zeros((30, 30, 30), bool)
    brain[2:28, 2:28, 2:28] = True
    mask = np.zeros(brain.shape, np.uint8)
    mask[10:18, 10:18, 10:18] = CLASSES.index("edema")
    found = dict(textures.places(mask, brain))
    assert list(found) == ["edema", "rest of the brain"]
    assert np.count_nonzero(found["edema"]) == 6**3
    assert found["rest of the brain"][:, 14, 14].nonzero()[0].tolist() == [4, 5, 6, 7, *range(20, 26)]
