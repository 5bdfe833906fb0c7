import os
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from glioseg.synthesize.anatomy import BOX_SHAPE
from glioseg.synthesize.phantoms import AFFINE, MODALITIES, SHAPE, phantom
from glioseg.synthesize.smooth_fields import coarse_shape, smooth_noise, upsample
from glioseg.synthesize.tumors import grow

SCRIPT = Path(__file__).parents[1] / "scripts" / "synthesize.py"


@pytest.fixture(scope="module")
def patient():
    began = time.process_time()
    made = phantom("phantom_002", 42)
    assert time.process_time() - began < 20
    return made


@pytest.fixture(scope="module")
def patient_without_enhancing():
    return phantom("phantom_001", 42)


def test_upsampling_keeps_a_constant():
    field = upsample(np.full(coarse_shape((9, 10, 11), 4), 3.0), 4, (9, 10, 11))
    assert field.shape == (9, 10, 11)
    np.testing.assert_allclose(field, 3, rtol=1e-5)


def test_upsampling_refuses_control_points_that_do_not_fit():
    with pytest.raises(ValueError, match="expected"):
        upsample(np.zeros((2, 2, 2)), 4, (9, 10, 11))


def test_smooth_noise_has_unit_spread_and_the_asked_scale():
    noise = smooth_noise(np.random.default_rng(0), (80, 80, 80), 4)
    assert abs(noise.std() - 1) < 0.15
    assert np.abs(np.diff(noise, axis=0)).mean() < 0.4


def test_growth_stays_where_it_can_diffuse_and_prefers_fast_tissue():
    diffusion = np.zeros((40, 40, 40), np.float32)
    diffusion[:20], diffusion[20:35] = 0.16, 0.02
    density = grow([(19, 20, 20)], diffusion, target_ml=20)
    assert not density[35:].any()
    assert density[:20].sum() > 1.5 * density[20:].sum()
    assert 20 <= (density > 0.3).sum() * 0.008 < 26


def test_an_image_is_what_brats_files_are(patient):
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


def test_another_name_or_seed_is_another_patient(patient, patient_without_enhancing):
    _, mask = patient
    assert (patient_without_enhancing[1] != mask).any()
    assert (phantom("phantom_002", 43)[1] != mask).any()


def test_a_patient_without_enhancing_tumor_has_a_core(patient_without_enhancing):
    _, mask = patient_without_enhancing
    assert not (mask == 4).any()
    assert (mask == 1).sum() > 5e3


def test_the_command_writes_the_same_patient_every_time(tmp_path, patient):
    images, mask = patient
    folder = tmp_path / "phantom_002"
    subprocess.run(
        [sys.executable, SCRIPT, "--subject", "phantom_002", "--seed", "42", "--output-dir", folder],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )
    expected = images | {"seg": mask}
    assert {path.name for path in folder.iterdir()} == {f"phantom_002_{name}.nii.gz" for name in expected}
    for name, volume in expected.items():
        written = nib.load(folder / f"phantom_002_{name}.nii.gz")
        np.testing.assert_array_equal(written.affine, AFFINE)
        assert written.get_data_dtype() == volume.dtype
        np.testing.assert_array_equal(np.asanyarray(written.dataobj), volume)
