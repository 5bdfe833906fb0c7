"""The common grid covers its reference, and matrices survive the way through SimpleITK."""

import nibabel as nib
import numpy as np
import pytest

from glioseg.register.grids import Grid, common_grid, itk_image, itk_transform, matrix_of, resampled, same_grid
from glioseg.synthesize.series import draw_movement


def test_the_common_grid_covers_the_reference_in_its_own_directions():
    turn = draw_movement(np.random.default_rng(0), np.zeros(3))
    affine = turn @ np.array([[0, 0, 5.5, -60], [-0.9, 0, 0, 90], [0, 0.9, 0, -70], [0, 0, 0, 1]])
    grid = common_grid((200, 180, 24), affine, 1.0)
    assert "".join(nib.aff2axcodes(grid.affine)) == "LPS"
    assert np.allclose(grid.affine[:3, :3].T @ grid.affine[:3, :3], np.eye(3))
    # An axis of the grid is parallel to one of the reference.
    assert np.allclose(np.sort(np.abs(grid.affine[:3, 0] @ affine[:3, :3])), [0, 0, 5.5])
    assert grid.shape == (132, 180, 162)
    # The outer faces lie on each other.
    corners = [nib.affines.apply_affine(grid.affine, [-0.5, -0.5, -0.5])]
    theirs = np.array(np.meshgrid(*((-0.5, length - 0.5) for length in (200, 180, 24)))).reshape(3, -1).T
    assert np.abs(nib.affines.apply_affine(affine, theirs) - corners).sum(1).min() < 1e-9


def test_a_reference_of_one_millimeter_keeps_its_voxels():
    affine = np.array([[-1.0, 0, 0, 3], [0, -1, 0, 5], [0, 0, 1, -7], [0, 0, 0, 1]])
    grid = common_grid((5, 6, 7), affine, 1.0)
    assert same_grid(grid, Grid((5, 6, 7), affine))
    assert not same_grid(grid, Grid((5, 6, 8), affine))
    affine[0, 3] += 0.5
    assert not same_grid(grid, Grid((5, 6, 7), affine))


def test_matrices_and_volumes_survive_the_way_through_simpleitk():
    matrix = draw_movement(np.random.default_rng(1), np.array([10.0, -20, 30]))
    assert matrix_of(itk_transform(matrix)) == pytest.approx(matrix)
    affine = np.array([[0, 2.0, 0, 3], [-1.5, 0, 0, 5], [0, 0, 3, -7], [0, 0, 0, 1]])
    volume = np.random.default_rng(2).normal(size=(9, 8, 7)).astype(np.float32)
    assert resampled(itk_image(volume, affine), Grid(volume.shape, affine), np.eye(4)) == pytest.approx(volume)
    # A voxel is found where the matrix takes the point.
    shift = np.eye(4)
    shift[:3, 3] = affine[:3, 0]
    found = resampled(itk_image(volume, affine), Grid(volume.shape, affine), shift)
    assert found[:-1] == pytest.approx(volume[1:], abs=1e-5) and not found[-1].any()
