"""Patches with a random contrast keep the anatomy and the mask of the phantom; seed and step determine them."""

from dataclasses import replace

import numpy as np
import pytest
from trainings import subject

from glioseg.synthesize.contrast import TISSUES
from glioseg.synthesize.worlds import load_world
from glioseg.train.patches import load_subject, training_batch
from glioseg.train.settings import AUGMENTATIONS

SETTINGS = {
    "seed": 5, "patch": (16, 16, 16), "batch": 2, "foreground": 0.5, **AUGMENTATIONS["standard"], "elastic": 1,
    "blur": 0.5, "coarse": 1.5, "implant": 0, "modality_dropout": 0,
}  # fmt: skip
UNCHANGED = AUGMENTATIONS["none"]


@pytest.fixture
def phantom(tmp_path):
    """A subject with tissue maps: white matter, and enhancing tumor where its mask says so."""
    one = subject()
    maps = np.zeros((*one.mask.shape, len(TISSUES)), np.uint8)
    maps[..., TISSUES.index("wm")] = 255 * (one.mask == 0)
    maps[..., TISSUES.index("edema")] = 255 * (one.mask == 2)
    maps[..., TISSUES.index("enhancing")] = 255 * (one.mask == 3)
    for name, array in {"image": one.image, "mask": one.mask, "tissues": maps}.items():
        np.save(tmp_path / f"{name}.npy", array)
    return load_subject(tmp_path, ("flair", "t1ce"))


def test_maps_are_read_with_a_sample_of_the_brain(phantom, tmp_path):
    assert phantom.world.enhancing
    assert phantom.world.modalities == ("flair", "t1ce")
    np.testing.assert_allclose(phantom.world.sample.sum(1), 1)
    (tmp_path / "tissues.npy").unlink()
    with pytest.raises(ValueError, match=r"tissues\.npy"):
        load_world(tmp_path, ("flair",))
    assert load_subject(tmp_path).world is None


def test_seed_and_step_determine_patches_with_a_random_contrast(phantom):
    first, again, other = (training_batch([phantom], step, SETTINGS) for step in (3, 3, 4))
    np.testing.assert_array_equal(first[0], again[0])
    assert first[0].shape == (2, 16, 16, 16, 2)
    assert (first[0] != other[0]).any()
    assert np.isfinite(first[0]).all()


def test_a_random_contrast_changes_the_image_and_not_the_mask(phantom):
    settings = SETTINGS | UNCHANGED | {"foreground": 1, "batch": 20}
    drawn, plain = (training_batch([one], 1, settings) for one in (phantom, replace(phantom, world=None)))
    np.testing.assert_array_equal(drawn[1], plain[1])
    images, masks = drawn
    for tissue, channel in ((2, 0), (3, 1)):
        # Tumor is brighter than white matter: edema on FLAIR, enhancing tumor on T1ce.
        brighter = [
            image[mask == tissue, channel].mean() - image[mask == 0, channel].mean()
            for image, mask in zip(images, masks, strict=True)
        ]
        assert np.mean(np.array(brighter) > 0) > 0.7
        assert np.std(brighter) > 0.2
