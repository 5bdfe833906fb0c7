"""A model trained on phantoms whose contrast is drawn for each patch: `make model` in small."""

import numpy as np
import pytest
import yaml
from studies import ROOT, TINY
from trainings import weights

PRESET = yaml.safe_load((ROOT / "presets/model.yaml").read_text())


@pytest.fixture
def tiny(workflow):
    """The study of presets/model.yaml, with few phantoms and few steps."""
    train = {name: value for name, value in PRESET["train"].items() if name not in TINY["train"]}
    return workflow("phantoms", synthesize=PRESET["synthesize"] | {"subjects": 4}, train=train | TINY["train"])


def test_the_way_of_the_model_gives_the_same_bits_twice(tiny):
    trained = []
    for _ in range(2):
        done = tiny.run("train_all")
        assert done.returncode == 0, done.stdout + done.stderr
        trained.append(weights(tiny / "train/all/model.keras"))
        maps = np.load(tiny / "preprocess/phantom_001/tissues.npy", mmap_mode="r")
        assert maps.shape[:3] == np.load(tiny / "preprocess/phantom_001/mask.npy", mmap_mode="r").shape
        # The masks are those of the maps: necrosis, edema and enhancing tumor.
        mask = np.load(tiny / "preprocess/phantom_002/mask.npy")
        inside = np.load(tiny / "preprocess/phantom_002/tissues.npy")[mask > 0]
        assert not mask.any() or (inside[:, 3:6].sum(-1) > 100).mean() > 0.9
        (tiny / "train/all/model.keras").unlink()
    for first, again in zip(*trained, strict=True):
        np.testing.assert_array_equal(first, again)


def test_a_random_contrast_needs_phantoms(cohort_folder, workflow):
    done = workflow(cohort_folder, train={"contrast": "random"}).run("train_all", "--dry-run")
    assert done.returncode == 1
    assert "train: contrast: random needs the tissue maps of phantoms, found data:" in done.stdout + done.stderr


def test_healthy_phantoms_are_kept(tiny):
    done = tiny.run("prepare", "--dry-run", "--printshellcmds")
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("--forced True") == 4
