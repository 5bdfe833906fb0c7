"""Each check returns a sentence that names the faulty data, and None for good data."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glioseg.labels import CLASSES
from glioseg.preprocess import checks

LPS = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]])


def turned(degrees, spacing=1.0):
    """An affine whose grid is rotated about the patient's long axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, -sine, 0, 0], [sine, cosine, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    return rotation @ LPS @ np.diag([spacing, spacing, spacing, 1])


def test_missing():
    assert checks.missing(["flair", "t2"], ["flair"]) == "no file for t2; expected flair, t2, found flair"
    assert "found none" in checks.missing(["flair"], [])
    assert checks.missing(["flair"], ["flair", "t2"]) is None


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.full((4, 4), np.nan), "the affine of t1 is not finite"),
        (np.diag([1.0, 0, 1, 1]), "not invertible"),
        (np.diag([1e300, 1, 1, 1]), "not finite"),
        (np.diag([1.0, 1, 50, 1]), "the voxels of t1 measure 1 x 1 x 50 mm; expected 0.1 to 20 mm"),
        (np.diag([1e-3, 1, 1, 1]), "measure 0.001 x 1 x 1 mm"),
        (np.array([[1.0, 0.9, 0, 0], [0, 0.1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "axes of t1 are not perpendicular"),
    ],
)
def test_geometry(affine, words):
    assert words in checks.geometry("t1", affine)
    for good in (LPS, turned(20), turned(45, 0.5), np.diag([0.9, 1.2, 5, 1])):
        assert checks.geometry("t1", good) is None


@given(arrays(np.float64, (4, 4), elements=st.floats(width=64)))
def test_geometry_reports_every_affine_that_is_not_invertible(affine):
    sentence = checks.geometry("t1", affine)
    if sentence is None:
        assert np.isfinite(np.linalg.inv(affine[:3, :3])).all()
        assert checks.affines({"t1": affine, "t2": affine}) is None
    else:
        assert "t1" in sentence


def test_shapes():
    sentence = checks.shapes({"flair": (2, 2, 2), "t1": (2, 2, 2), "seg": (2, 2, 3)})
    assert sentence == "seg has shape 2x2x3 but flair has 2x2x2; export all on the same grid"
    assert checks.shapes({"flair": (2, 2, 2), "seg": (2, 2, 2)}) is None


def test_orientations():
    ras = np.diag([1.0, 1, 1, 1])
    assert "t2 has the orientation RAS but flair has LPS" in checks.orientations({"flair": LPS, "t2": ras})
    assert checks.orientations({"flair": LPS, "t2": turned(20)}) is None


def test_nearly_equal_orientations_at_45_degrees_are_not_reported():
    one, other = turned(44.9), turned(45.1)
    assert nib.aff2axcodes(one) != nib.aff2axcodes(other)
    assert checks.orientations({"flair": one, "t2": other}) is None


def test_spacings():
    sentence = checks.spacings({"flair": LPS, "t2": LPS @ np.diag([1, 1, 2, 1])})
    assert "the voxels of t2 measure 1 x 1 x 2 mm but those of flair measure 1 x 1 x 1 mm" in sentence
    assert checks.spacings({"flair": LPS, "t2": LPS * 1.001}) is None


def test_affines():
    shifted = LPS.copy()
    shifted[0, 3] = 2
    sentence = "the affine of t2 differs from that of flair by up to 2 mm; register the images to each other first"
    assert checks.affines({"flair": LPS, "t2": shifted}) == sentence
    assert "seg differs" in checks.affines({"flair": LPS, "seg": turned(1)})
    # A header with four digits after the decimal point.
    assert checks.affines({"flair": turned(20), "t2": turned(20).round(4)}) is None


def test_finite():
    volume = np.ones((4, 4, 4), np.float32)
    assert checks.finite("t1", volume) is None
    # Their sum exceeds the range of float32, but all of them are finite.
    assert checks.finite("t1", volume * np.float32(3e38)) is None
    volume[0, 0, 0], volume[1, 1, 1], volume[2, 2, 2] = np.nan, np.inf, -np.inf
    assert "t1 has 3 NaN or infinite voxels" in checks.finite("t1", volume)


def test_constant():
    volume = np.full((5, 5, 5), 3, np.float32)
    assert checks.constant("t1", volume) == "t1 is empty: every voxel is 3; export it again"
    assert "t1 has no voxels: its shape is 0x5x5" in checks.constant("t1", volume[:0])
    volume[1, 2, 3] = 4
    assert checks.constant("t1", volume) is None


def test_mask_fractional():
    mask = np.zeros((5, 5, 5), np.float32)
    mask[2], mask[3] = 1, 4
    # The scaling factor in a header leaves such rounding errors.
    mask[2, 2, 2] = 0.9999
    assert checks.mask_fractional(mask) is None
    mask[2, 2, 3] = 0.5
    assert "fractional values such as 0.5" in checks.mask_fractional(mask)


def test_mask_values_names_the_dialects_that_would_fit():
    mask = np.array([[[0, 1, 2, 3]]], np.float32)
    sentence = checks.mask_values(mask, "brats2020")
    assert "the mask holds 3, which brats2020 does not have (expected 0, 1, 2, 4)" in sentence
    assert "brats2023 or brats2024" in sentence
    assert "no known dialect fits" in checks.mask_values(mask * 10, "brats2020")
    assert checks.mask_values(mask, "brats2023") is None


def test_mask_empty():
    classes = np.zeros((5, 5, 5), np.uint8)
    assert "the mask is empty" in checks.mask_empty(classes)
    classes[1, 1, 1] = 1
    assert checks.mask_empty(classes) is None


def test_mask_outside():
    brain = np.zeros((20, 20, 20), bool)
    brain[:, :, :10] = True
    classes = np.zeros(brain.shape, np.uint8)
    assert checks.mask_outside(classes, brain) is None
    classes[4:8, 4:8, 2:10] = CLASSES.index("edema")
    assert checks.mask_outside(classes, brain) is None
    classes[4:8, 4:8, 10:18] = CLASSES.index("cavity")
    assert checks.mask_outside(classes, brain) is None
    classes[4:8, 4:8, 10:18] = CLASSES.index("necrosis")
    assert "50 % of the tumor mask lies outside the brain" in checks.mask_outside(classes, brain)


def test_tumor_share():
    assert "0.50 % of the crop is tumor; expected at least 1 %" in checks.tumor_share(0.5, 1.0)
    assert checks.tumor_share(1.0, 1.0) is None


def test_checks_return_sentences_on_small_inputs():
    assert checks.missing(["flair", "t2"], ["flair"]) == "no file for t2; expected flair, t2, found flair"
    assert checks.missing(["flair"], ["flair", "t2"]) is None
    assert "t2 has shape 2x2x3 but flair has 2x2x2" in checks.shapes({"flair": (2, 2, 2), "t2": (2, 2, 3)})
    shifted = np.eye(4)
    shifted[0, 3] = 2
    assert "affine of t2 differs from that of flair by up to 2" in checks.affines({"flair": np.eye(4), "t2": shifted})
    assert checks.affines({"flair": np.eye(4), "t2": np.eye(4) + 1e-4}) is None
    assert "t1 has 1 NaN or infinite voxel;" in checks.finite("t1", np.array([1, np.nan]))
    assert "every voxel is 3" in checks.constant("t1", np.full(4, 3.0))
    assert "not finite" in checks.geometry("t1", np.full((4, 4), np.nan))
    assert checks.geometry("t1", np.eye(4)) is None
