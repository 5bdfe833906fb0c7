"""Patch and batch follow the device and its memory, and a step takes no more memory than estimated."""

import subprocess
import sys

import pytest
from studies import ROOT

SCRIPTS = ROOT / "scripts"
AUTO = {
    "network": "unet", "patch": ("auto",), "filters": ("auto",), "batch": "auto", "backbone": "",
    "normalization": "instance", "targets": "classes", "classes": ("background", "necrosis", "edema", "enhancing"),
    "precision": "float32", "small_patches": 0,
}  # fmt: skip
BRAINS = [(140, 170, 140), (138, 172, 145), (141, 169, 139)]


def planned(device, gigabytes, **changes):
    from glioseg.train.plan import plan

    found = plan(AUTO | changes, BRAINS, 4, device, int(gigabytes * 1e9))
    return found["filters"], found["patch"], found["batch"]


def test_more_memory_takes_larger_patches():
    assert planned("cpu", 20) == ((24, 48, 96, 192), (64, 64, 64), 2)
    assert planned("cpu", 1.3) == ((24, 48, 96, 192), (48, 48, 48), 2)
    wide = (32, 64, 128, 256, 320)
    short = {"precision": "mixed_bfloat16"}
    assert planned("gpu", 8, **short) == planned("gpu", 80, **short) == (wide, (128, 128, 128), 2)
    full = {"network": "unet_full", **short}
    for gigabytes, side in ((8, 64), (16, 96), (24, 128), (80, 128)):
        assert planned("gpu", gigabytes, **full) == ((*wide, 320), (side,) * 3, 2)
    # Numbers of 32 bits take more memory, and no layer after a convolution less.
    assert planned("gpu", 24, network="unet_full")[1] == (96,) * 3
    assert planned("gpu", 18, **full, normalization="none")[1] == (128,) * 3


def test_set_values_are_kept_and_too_little_memory_is_an_error():
    assert planned("gpu", 80, patch=(64, 64, 32), batch=3, filters=(8, 16))[1:] == ((64, 64, 32), 3)
    with pytest.raises(ValueError, match=r"2 patches of 128x128x128 voxels takes about [56].\d GB, .* 2.0 GB of free"):
        planned("cpu", 2, patch=(128, 128, 128), batch=2)
    with pytest.raises(ValueError, match=r"32x32x32 voxels takes about .* lower train: batch, patch or filters"):
        planned("cpu", 0.5)


def test_no_patch_is_larger_than_the_subjects_need():
    from glioseg.train.plan import plan

    assert plan(AUTO, [(40, 50, 20)], 1, "cpu", int(9e9))["patch"] == (48, 64, 32)


def test_small_patches_are_told_and_need_patches_that_can_be_halved():
    from glioseg.train.plan import describe_plan, plan

    settings = plan(AUTO | {"small_patches": 0.5}, BRAINS, 1, "cpu", int(24e9))
    words = "unet of 24-48-96-192, 16 patches of 32x32x32 voxels and then 2 patches of 64x64x64 voxels, float32"
    assert describe_plan(settings) == words
    with pytest.raises(ValueError, match=r"a patch of 64x64x48 voxels cannot be halved .* multiples of 32, or set"):
        planned("cpu", 20, patch=(64, 64, 48), small_patches=0.5)


STEPS = """
import sys
sys.path.insert(0, sys.argv[1])
import glioseg.train.device
import numpy as np
from glioseg.train.plan import step_bytes
from glioseg.train.loop import build_models

settings = {
    "network": sys.argv[3], "patch": (64, 64, 64), "filters": (16, 32, 64), "batch": 2, "small_patches": 0.5,
    "backbone": "", "normalization": sys.argv[2], "targets": "classes",
    "classes": ("background", "necrosis", "edema", "enhancing"), "deep_supervision": False, "average": 0,
    "optimizer": "adamw", "schedule": "cosine", "learning_rate": 0.001, "clip_norm": 1,
    "losses": ("dice_cross_entropy",), "batch_dice": True,
}
_, models = build_models(4, settings)
for model, shape in zip(models, ((16, 32, 32, 32), (2, 64, 64, 64)), strict=True):
    for _ in range(2):
        model.train_on_batch(np.zeros((*shape, 4), np.float32), np.zeros(shape, np.uint8))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(step_bytes(settings, 4), 1024 * int(status["VmHWM"].split()[0]))
"""


@pytest.mark.parametrize(
    ("network", "normalization", "least"),
    [("unet", "instance", 0.6), ("unet", "none", 0.6), ("unet_full", "batch", 0.4)],
)
def test_a_step_takes_no_more_memory_than_planned(network, normalization, least):
    words = [sys.executable, "-c", STEPS, str(SCRIPTS), normalization, network]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    expected, peak = map(int, done.stdout.split())
    assert least * expected < peak < expected


def test_free_memory_is_that_of_the_machine_or_less():
    from glioseg.train.plan import free_bytes

    device, free = free_bytes()
    assert device in ("cpu", "gpu")
    assert 1e8 < free < 1e14
