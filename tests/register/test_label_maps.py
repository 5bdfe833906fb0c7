"""Label maps go to thick slices and back without losing volume."""

import numpy as np

from glioseg.register.grids import Grid
from glioseg.register.label_maps import label_map_on
from glioseg.synthesize.series import draw_movement

FINE = np.diag([-1.0, -1, 1, 1])


def shells(shape=(60, 64, 56)):
    distance = np.linalg.norm(np.indices(shape).T - np.array([30.3, 32, 27.6]), axis=-1).T
    labels = np.zeros(shape, np.uint8)
    for radius, value in ((18, 2), (12, 4), (6, 1)):
        labels[distance < radius] = value
    return labels


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_the_volume_in_thick_slices_is_that_in_fine_ones():
    labels = shells()
    movement = draw_movement(np.random.default_rng(3), np.array([-30.0, -32, 27]))
    thick = FINE @ np.diag([0.9, 0.9, 5.5, 1])
    thick[:3, 3] = (14, 10, -20)
    grid = Grid((110, 115, 18), thick)
    there = label_map_on(labels, FINE, grid, np.linalg.inv(movement))
    assert there.dtype == labels.dtype and set(np.unique(there)) == {0, 1, 2, 4}
    size = 0.9 * 0.9 * 5.5
    # A ball of 12 mm is two slices thick.
    for wanted, tolerated in (((1,), 0.2), ((1, 4), 0.05), ((1, 2, 4), 0.03)):
        ours, theirs = np.isin(labels, wanted), np.isin(there, wanted)
        assert abs(theirs.sum() * size / ours.sum() - 1) < tolerated, wanted
    back = label_map_on(there, thick, Grid(labels.shape, FINE), movement)
    assert dice(back > 0, labels > 0) > 0.94


def test_a_voxel_of_several_tumor_labels_is_tumor():
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[:, :, 3], labels[:, :, 4], labels[:, :, 5] = 1, 2, 4
    # Of four layers, one each is background, necrosis, edema and enhancing tumor.
    slab = np.diag([-1.0, -1, 4, 1])
    slab[2, 3] = 3.5
    there = label_map_on(labels, FINE, Grid((8, 8, 1), slab), np.eye(4))
    assert (there[1:-1, 1:-1] > 0).all()


def test_the_same_grid_changes_nothing_and_an_empty_map_stays_empty():
    labels = shells((40, 42, 38))
    grid = Grid(labels.shape, FINE)
    assert np.array_equal(label_map_on(labels, FINE, grid, np.eye(4)), labels)
    assert not label_map_on(np.zeros_like(labels), FINE, grid, np.eye(4)).any()
    away = np.eye(4)
    away[0, 3] = 500
    assert not label_map_on(labels, FINE, grid, away).any()


def test_what_is_no_label_map_keeps_its_values_for_a_check():
    odd = np.zeros((12, 12, 12), np.float32)
    odd[4:8, 4:8, 4:8] = 1.5
    found = label_map_on(odd, FINE, Grid(odd.shape, FINE), np.eye(4))
    assert np.array_equal(found, odd)
