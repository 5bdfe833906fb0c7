"""Test that tumor that is too small is removed from a prediction."""

import numpy as np


def test_little_enhancing_tumor_becomes_necrosis():
    from glioseg.predict.postprocess import drop_small_enhancing

    classes = np.array([0, 1, 2, 3, 3], np.uint8)
    assert drop_small_enhancing(classes, 0.001, 0.0021).tolist() == [0, 1, 2, 1, 1]
    assert drop_small_enhancing(classes, 0.001, 0.0021).dtype == np.uint8
    assert drop_small_enhancing(classes, 0.001, 0.002).tolist() == [0, 1, 2, 3, 3]
    assert drop_small_enhancing(classes, 0.001, 0).tolist() == [0, 1, 2, 3, 3]


def test_enhancing_tumor_is_also_little_beside_a_large_core():
    from glioseg.predict.postprocess import LEAST_SHARE, drop_small_enhancing

    assert LEAST_SHARE == 0.05
    for enhancing, kept in ((4, 0), (5, 5)):
        classes = np.repeat(np.array([1, 3, 2], np.uint8), (100 - enhancing, enhancing, 900))
        assert (drop_small_enhancing(classes, 1.0, 0.2) == 3).sum() == kept
        # 0 ml keeps any.
        assert (drop_small_enhancing(classes, 1.0, 0) == 3).sum() == enhancing


def test_small_connected_tumor_becomes_background():
    from glioseg.predict.postprocess import drop_small, drop_small_components

    classes = np.zeros((8, 8, 8), np.uint8)
    classes[:2, :2, :2] = 2
    classes[2, 2, 2] = 3  # shares a corner with the first
    classes[6, 6, 5:7] = 1, 3
    classes[4, 0, 0] = 4  # a cavity is not tumor
    kept = drop_small_components(classes, 0.001, 0.0021)
    assert kept[6, 6].sum() == 0 and kept[2, 2, 2] == 3 and kept[4, 0, 0] == 4 and (kept[:2, :2, :2] == 2).all()
    assert classes[6, 6, 6] == 3, "the input array must not change"
    assert (drop_small_components(classes, 0.001, 0.002) == classes).all()
    # The component is removed first, so its enhancing tumor does not count toward the total.
    assert drop_small(classes, 0.001, 0.0015, 0.0021)[2, 2, 2] == 1
    assert drop_small(classes, 0.001, 0.0015, 0)[2, 2, 2] == 3
    empty = np.zeros((3, 3, 3), np.uint8)
    assert (drop_small_components(empty, 1.0, 5.0) == empty).all()
