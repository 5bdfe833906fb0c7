"""Slices have the patient's right on the left and are cut where the mask is largest."""

import nibabel as nib
import numpy as np
import pytest
from pictures import LPS, SHAPE

from glioseg.plot.subjects import slices

RAS = np.diag([1.0, 1.0, 1.0, 1.0])
SWAPPED = np.array([[0, 0, 2, 0], [-1, 0, 0, 27], [0, 1, 0, 0], [0, 0, 0, 1]], float)  # axes: back, up, right (2 mm)


@pytest.mark.parametrize("affine", [LPS, RAS, SWAPPED], ids=["LPS", "RAS", "swapped"])
def test_the_patients_right_is_on_the_viewers_left(affine):
    shape = (28, 20, 12) if affine is SWAPPED else SHAPE
    volume = np.zeros(shape)
    corner = nib.affines.apply_affine(affine, np.argwhere(volume == 0))
    right_front_top = (corner - corner.mean(axis=0) > 4).all(axis=1)
    volume.ravel()[right_front_top] = 1
    upright = slices.turn(volume, affine)
    for plane, axis in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
        rows, columns = np.nonzero(slices.slice_of(upright, plane, slices.fullest(upright > 0, plane)))
        height, width = np.delete(upright.shape, axis)[::-1]
        assert rows.max() < height / 2, "front and top are above"
        assert columns.max() < width / 2, "right (in sagittal slices front) is on the left"


def test_spacing_follows_the_axes():
    assert slices.spacing(SWAPPED).tolist() == [2, 1, 1]


def test_fullest_slice_and_its_empty_case():
    mask = np.zeros((3, 4, 7), bool)
    assert slices.fullest(mask, "axial") == 3
    mask[0, :2, 5] = True
    assert slices.fullest(mask, "axial") == 5
