"""What voxels of a phantom consist of: borders that fade, and vessels through tumor."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from glioseg.labels import CLASSES
from glioseg.synthesize.anatomy import BOX_SHAPE
from glioseg.synthesize.contrast import TISSUES
from glioseg.synthesize.kinds import SHARES
from glioseg.synthesize.mixture import mix_tissues
from glioseg.synthesize.phantoms import phantom_and_tissues
from glioseg.synthesize.tumors import Plan

PLAN = Plan(foci=[(1, 1, 1)], whole_ml=30, core_ml=10, enhancing=True, rim_mm=3, push_mm=3)


def mixed(plan):
    """Fractions (BOX_SHAPE each) of white matter with a round tumor: 20 mm of edema, its core of 10 mm enhances."""
    away = np.linalg.norm(np.indices(BOX_SHAPE) - np.array(BOX_SHAPE).reshape(3, 1, 1, 1) // 2, axis=0)
    classes = np.zeros(BOX_SHAPE, np.uint8)
    classes[away <= 20] = CLASSES.index("edema")
    classes[away <= 10] = CLASSES.index("enhancing")
    brain = np.ones(BOX_SHAPE, bool)
    tissue = {name: np.full(brain.sum(), float(name == "wm"), np.float32) for name in ("csf", "gm", "wm")}
    found = mix_tissues(np.random.default_rng(5), brain, tissue, classes, plan)
    return {name: fraction.reshape(BOX_SHAPE) for name, fraction in found.items()}, away


def test_a_border_fades_from_the_margin_to_the_depth():
    plain, away = mixed(PLAN)
    faded, _ = mixed(replace(PLAN, fade=0.8, fade_mm=3.0))
    share = [faded["edema"][ring].mean() / plain["edema"][ring].mean() for ring in rings(away, 19, 16, 13)]
    assert share[0] < 0.6 < share[1] < 0.9 < share[2]
    # What the core loses is edema, and what the tumor loses is healthy.
    at_core = (away > 8) & (away <= 10)
    assert faded["enhancing"][at_core].mean() < 0.9 * plain["enhancing"][at_core].mean()
    np.testing.assert_allclose(sum(faded.values()), 1, atol=0.25)
    assert faded["wm"][away <= 20].sum() > plain["wm"][away <= 20].sum()
    assert sum(faded.values()).max() <= 1 + 1e-5


def rings(away, *radii):
    return [(away > radius - 1) & (away <= radius) for radius in radii]


@pytest.mark.parametrize("kind", ["faint", "ring"])
def test_vessels_go_through_tumor_that_does_not_enhance(kind, monkeypatch):
    monkeypatch.setattr("glioseg.synthesize.kinds.SHARES", dict.fromkeys(SHARES, 0.0) | {kind: 1.0})
    maps = phantom_and_tissues("phantom_002", 42, "many")[2].astype(np.float32) / 255
    tumor = maps[..., 3:6]
    vessels = maps[..., TISSUES.index("vessels")]
    around = (tumor[..., 0] + tumor[..., 1]) > 0.8
    assert 0.01 < (vessels[around] > 0.3).mean() < 0.2
    if kind == "ring":
        assert (vessels[tumor[..., 2] > 0.6] > 0.3).mean() < 0.01


def test_some_brains_keep_blobs_of_what_lies_around_them():
    usual, many = (
        [phantom_and_tissues(name, 11, kinds)[2][..., TISSUES.index("rim")] > 127 for name in ("q2", "q3")]
        for kinds in ("usual", "many")
    )
    # Thickness in mm: how often the rim can be eroded.
    assert all(not ndimage.binary_erosion(rim, iterations=3).any() for rim in usual)
    assert any(ndimage.binary_erosion(rim, iterations=3).sum() > 500 for rim in many)
