"""Augmentation applies exactly what was drawn."""

from dataclasses import replace

import numpy as np
import pytest

from glioseg.train.augment import KNOTS, Augmentation, augment, bent_patch, draw_augmentation
from glioseg.train.settings import AUGMENTATIONS

ONE = np.ones(2, np.float32)
NOTHING = Augmentation((False,) * 3, None, None, ONE, 0 * ONE, None, None, None, None, ONE > 0)
ALL = {
    "flip": 0.5, "scale": (0.5,), "rotation": 30, "elastic": 3, "gain": 0.2, "brightness": 0.2, "gamma": (0.2,),
    "blur": 1.5, "coarse": 2, "noise": 0.2, "modality_dropout": 0.3,
}  # fmt: skip
OFF = AUGMENTATIONS["none"] | {"modality_dropout": 0}


def volume(shape=(20, 22, 18)):
    random = np.random.default_rng(1)
    mask = np.zeros(shape, np.uint8)
    mask[8:13, 7:12, 6:11] = 2
    mask[10:12, 8:10, 7:9] = 3
    return (random.normal(2, 0.5, (*shape, 2)) + mask[..., None]).astype(np.float16), mask


def patch_of(image, mask):
    return image[2:18, 4:20, 1:17].astype(np.float32), mask[2:18, 4:20, 1:17]


# The center of that patch.
MIDDLE = np.array([9.5, 11.5, 8.5])


def test_each_change_by_hand():
    image, mask = patch_of(*volume())
    same = augment(image, mask, NOTHING)
    assert same[0] == pytest.approx(image)
    assert (same[1] == mask).all()
    flipped = augment(image, mask, replace(NOTHING, flips=(True, False, False)))
    assert flipped[0] == pytest.approx(image[::-1])
    assert (flipped[1] == mask[::-1]).all()
    image[0] = 0
    image[1, ..., 0] = 0
    dropped = augment(image, mask, replace(NOTHING, kept=np.array([True, False])))[0]
    assert dropped[..., 0] == pytest.approx(image[..., 0])
    assert not dropped[..., 1].any()
    changed = augment(image, mask, replace(NOTHING, gain=np.array([2, 3], np.float32), offset=ONE))[0]
    assert changed[1:] == pytest.approx(image[1:] * [2, 3] + 1, abs=1e-4)  # also where only one modality is zero
    assert not changed[0].any()
    curved = augment(image, mask, replace(NOTHING, gamma=2 * ONE))[0]
    span = image[..., 1].max()
    assert curved[1:, ..., 1] == pytest.approx((image[1:, ..., 1] / span) ** 2 * span, abs=1e-4)
    noisy = augment(image, mask, replace(NOTHING, noise=(0.5, 7)))[0]
    assert (noisy - image)[1:].std() == pytest.approx(0.5, rel=0.05)
    assert not noisy[0].any()
    assert (noisy == augment(image, mask, replace(NOTHING, noise=(0.5, 7)))[0]).all()


def test_softening_one_channel_keeps_the_other():
    image, mask = patch_of(*volume())
    for softer in ({"blur": np.array([1.0, 0])}, {"coarse": np.array([2.0, 1])}):
        soft, same = augment(image, mask, replace(NOTHING, **softer))
        assert (same == mask).all()
        assert soft[..., 1] == pytest.approx(image[..., 1])
        assert soft[..., 0].mean() == pytest.approx(image[..., 0].mean(), rel=0.05)
        assert np.diff(soft[..., 0], axis=0).std() < 0.8 * np.diff(image[..., 0], axis=0).std()
    # A straight line can be interpolated from every second sample.
    line = np.linspace(1, 2, 17, dtype=np.float32).reshape(17, 1, 1, 1) * np.ones((1, 17, 17, 2), np.float32)
    seen = augment(line, np.zeros((17, 17, 17), np.uint8), replace(NOTHING, coarse=2 * ONE))[0]
    assert seen == pytest.approx(line, abs=0.04)


def test_a_quarter_turn_and_no_change_are_exact():
    image, mask = volume()
    patch = (16, 16, 16)
    same = bent_patch(image, mask, MIDDLE, patch, replace(NOTHING, matrix=np.eye(3)))
    cut = patch_of(image, mask)
    assert same[0] == pytest.approx(cut[0], abs=1e-5)
    assert (same[1] == cut[1]).all()
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], float)
    turned = bent_patch(image, mask, MIDDLE, patch, replace(NOTHING, matrix=quarter))
    assert turned[0] == pytest.approx(np.rot90(cut[0], -1), abs=1e-5)
    assert (turned[1] == np.rot90(cut[1], -1)).all()
    # The same displacement of one voxel everywhere gives the neighboring patch.
    bend = np.zeros((3, *(KNOTS,) * 3))
    bend[0] = 1
    moved = bent_patch(image, mask, MIDDLE, patch, replace(NOTHING, bend=bend))
    assert moved[0] == pytest.approx(image[3:19, 4:20, 1:17].astype(np.float32), abs=1e-5)


def test_a_zoom_keeps_volumes_and_values():
    image, mask = volume((40, 40, 40))
    image[:] = 1
    larger = bent_patch(image, mask, np.array([10.0, 9.5, 8.5]), (32,) * 3, replace(NOTHING, matrix=np.eye(3) / 2))
    assert (larger[1] > 0).sum() == pytest.approx(8 * (mask > 0).sum(), rel=0.15)
    smaller = bent_patch(image, mask, np.array([19.5] * 3), (32,) * 3, replace(NOTHING, matrix=np.eye(3) * 2))
    assert (smaller[1] > 0).sum() == pytest.approx((mask > 0).sum() / 8, rel=0.6)
    inside = smaller[0][7:25, 7:25, 7:25]
    assert inside == pytest.approx(1)  # the whole volume
    assert not smaller[0][:5].any()  # and nothing around it
    far = bent_patch(image, mask, np.array([500.0] * 3), (8,) * 3, replace(NOTHING, matrix=np.eye(3)))
    assert not far[0].any()
    assert not far[1].any()


def test_strength_zero_changes_nothing():
    image, mask = patch_of(*volume())
    for seed in range(30):
        drawn = draw_augmentation(np.random.default_rng(seed), 2, OFF)
        assert drawn.matrix is None
        assert drawn.bend is None
        same = augment(image, mask, drawn)
        assert same[0] == pytest.approx(image)
        assert (same[1] == mask).all()


def test_draws_stay_within_the_settings():
    draws = [draw_augmentation(np.random.default_rng(seed), 2, ALL) for seed in range(400)]
    matrices = [drawn.matrix for drawn in draws if drawn.matrix is not None]
    assert len(matrices) == pytest.approx(400 / 3, rel=0.25)
    for matrix in matrices:
        zoom = np.cbrt(np.linalg.det(matrix))
        assert 1 / 1.5 - 1e-9 <= zoom <= 1.5 + 1e-9
        assert matrix @ matrix.T / zoom**2 == pytest.approx(np.eye(3), abs=1e-9)
    assert max(abs(drawn.bend).max() for drawn in draws if drawn.bend is not None) <= 3
    assert max(drawn.blur.max() for drawn in draws if drawn.blur is not None) <= 1.5
    assert max(drawn.coarse.max() for drawn in draws if drawn.coarse is not None) <= 2
    assert max(drawn.noise[0] for drawn in draws if drawn.noise is not None) <= 0.2
    assert all(drawn.kept.any() for drawn in draws)
    assert np.mean([drawn.kept.all() for drawn in draws]) == pytest.approx(0.49, abs=0.1)
    again = draw_augmentation(np.random.default_rng(3), 2, ALL)
    assert (again.gain == draws[3].gain).all()


def test_draws_of_a_range_reach_both_of_its_ends():
    changes = ALL | {"scale": (0.65, 1.6), "gamma": (0.5, 1.6), "gain": 0, "brightness": 0.4}
    draws = [draw_augmentation(np.random.default_rng(seed), 2, changes) for seed in range(1500)]
    zooms = [1 / np.cbrt(np.linalg.det(drawn.matrix)) for drawn in draws if drawn.matrix is not None]
    gammas = np.concatenate([drawn.gamma for drawn in draws if drawn.gamma is not None])
    for found, (low, high) in ((zooms, (0.65, 1.6)), (gammas, (0.5, 1.6))):
        assert low * (1 - 1e-6) <= min(found) <= low * 1.02
        assert high * 0.98 <= max(found) <= high * (1 + 1e-6)
    assert np.mean(np.array(zooms) > 1) == pytest.approx(0.5, abs=0.07)
    assert all((drawn.gain == 1).all() for drawn in draws)
    assert max(abs(drawn.offset).max() for drawn in draws) == pytest.approx(0.4, abs=0.01)
