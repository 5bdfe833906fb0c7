"""Heads for training: tissues, the brain in them, and normalized images."""

import numpy as np
import pytest

from glioseg.synthesize.head_worlds import AROUND, VOXEL_MM, head_world, normalized


@pytest.fixture(scope="module")
def head():
    return head_world(1, 3)


def test_the_brain_of_a_head_is_where_its_tissues_are(head):
    maps, brain = head[0].maps, head[1]
    assert brain.sum() * VOXEL_MM**3 / 1e6 == pytest.approx(1.4, abs=0.4), "liters"
    inside = maps[..., :6].sum(-1, dtype=int)
    assert (inside[brain] > 120).all() and (inside[~brain] < 135).all()
    for name in ("skull", "scalp", "eye"):
        assert (maps[..., -len(AROUND) :][..., AROUND.index(name)] > 200).any(), name


def test_normalized_is_the_same_for_any_gain():
    volume = np.random.default_rng(0).gamma(2, 1, (20, 20, 20)).astype(np.float32)
    np.testing.assert_allclose(normalized(volume), normalized(1000 * volume), rtol=1e-5)
    assert not normalized(np.zeros((4, 4, 4), np.float32)).any()


def test_other_numbers_are_other_heads(head):
    other, _ = head_world(2, 3)
    assert not np.array_equal(other.maps, head[0].maps)
