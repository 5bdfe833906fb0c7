"""Boxes of voxels, compared with results worked out by hand."""

import numpy as np

from glioseg.volumes.boxes import bounding_box, cut, grow, hull, lengths, overlap, relative, within


def test_boxes_by_hand():
    mask = np.zeros((8, 9, 10), bool)
    mask[3, 4, 5] = mask[6, 4, 9] = True
    box = bounding_box(mask)
    assert box == ((3, 7), (4, 5), (5, 10))
    assert bounding_box(np.zeros((2, 3, 4), bool)) == ((0, 2), (0, 3), (0, 4))
    assert lengths(box) == (4, 1, 5)
    assert grow(box, mask.shape) == ((2, 8), (3, 6), (4, 10))
    assert hull([box, ((0, 4), (6, 9), (5, 6))]) == ((0, 7), (4, 9), (5, 10))
    assert overlap(box, ((0, 4), (2, 9), (5, 6))) == ((3, 4), (4, 5), (5, 6))
    assert cut(mask, overlap(box, ((7, 8), (0, 9), (0, 4)))).size == 0
    inner = ((4, 5), (4, 5), (7, 9))
    assert relative(inner, box) == ((1, 2), (0, 1), (2, 4))
    assert within(box, relative(inner, box)) == inner
