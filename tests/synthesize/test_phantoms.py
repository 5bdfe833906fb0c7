"""Phantoms have the format of BraTS files and a plausible tumor."""

import numpy as np
import pytest
from scipy import ndimage

from glioseg.synthesize.anatomy import BOX_SHAPE
from glioseg.synthesize.phantoms import AFFINE, MODALITIES, SHAPE, phantom


@pytest.fixture(scope="module")
def patient_without_enhancing():
    return phantom("phantom_001", 42)


def test_phantoms_have_the_format_of_brats_files(patient):
    images, mask = patient
    assert tuple(images) == MODALITIES
    assert mask.shape == SHAPE == (240, 240, 155)
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 1, 2, 4}
    for image in images.values():
        assert image.shape == SHAPE
        assert image.dtype == np.int16
        assert image.min() == 0
    np.testing.assert_array_equal(AFFINE @ [0, 0, 0, 1], [0, 239, 0, 1])
    np.testing.assert_array_equal(np.diag(AFFINE), [-1, -1, 1, 1])


def test_the_brain_is_the_same_in_all_modalities_and_holds_the_tumor(patient):
    images, mask = patient
    brain = images["t1"] > 0
    assert 1.1e6 < brain.sum() < 2.0e6
    for image in images.values():
        np.testing.assert_array_equal(image > 0, brain)
    assert not mask[~brain].any()
    edges = np.ones(SHAPE, bool)
    edges[1:-1, 1:-1, :] = False
    assert not brain[edges].any()
    assert all(size < full for size, full in zip(BOX_SHAPE[:2], SHAPE[:2], strict=True))


def test_enhancing_tumor_is_bright_after_contrast_and_encloses_the_necrosis(patient):
    images, mask = patient
    rim, inside = mask == 4, mask == 1
    assert 5e3 < (mask > 0).sum() < 250e3
    touching = ndimage.binary_dilation(inside) & ~inside & (mask > 0)
    assert (mask[touching] == 4).mean() > 0.95
    assert np.median(images["t1ce"][rim]) > 1.3 * np.median(images["t1ce"][inside])


def test_another_name_or_seed_gives_another_patient(patient, patient_without_enhancing):
    _, mask = patient
    assert (patient_without_enhancing[1] != mask).any()
    assert (phantom("phantom_002", 43)[1] != mask).any()


def test_a_patient_without_enhancing_tumor_has_a_core(patient_without_enhancing):
    _, mask = patient_without_enhancing
    assert not (mask == 4).any()
    assert (mask == 1).sum() > 5e3
