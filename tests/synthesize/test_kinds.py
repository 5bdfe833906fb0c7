"""Phantoms of many kinds, also after surgery: their plans, and what grows from some of them."""

import numpy as np
import pytest
from scipy import ndimage

from glioseg.labels import OF_PHANTOMS, REGIONS, region, to_classes
from glioseg.synthesize.anatomy import BOX, BOX_SHAPE, COARSE_SHAPE
from glioseg.synthesize.contrast import TISSUES
from glioseg.synthesize.kinds import SHARES, SURFACE, draw_any_plan, draw_treated_plan
from glioseg.synthesize.phantoms import KINDS, phantom_and_tissues
from glioseg.synthesize.tumors import Plan, compartments

# Plan of a tumor, for `Plan(**USUAL)`.
USUAL = {"foci": [(1, 1, 1)], "whole_ml": 30, "core_ml": 10, "enhancing": True, "rim_mm": 3, "push_mm": 3}


@pytest.fixture(scope="module")
def plans():
    wm = np.ones(COARSE_SHAPE, np.float32)
    return [draw_any_plan(np.random.default_rng(seed), wm, wm > 0) for seed in range(300)]


def test_the_plans_are_as_varied_as_patients(plans):
    assert sum(SHARES.values()) == pytest.approx(1)
    assert 0.01 < np.mean([not plan.foci for plan in plans]) < 0.08
    assert 0.2 < np.mean([not plan.enhancing for plan in plans]) < 0.35
    tumors = [plan for plan in plans if plan.foci]
    assert min(plan.whole_ml for plan in tumors) < 5
    assert max(plan.whole_ml for plan in tumors) > 150
    assert max(len(plan.foci) for plan in tumors) >= 3
    assert all(0 < plan.core_ml < plan.whole_ml for plan in tumors)


def grown(plan, tissue="wm"):
    """Class indices of a round tumor with a core of 24 mm in the middle of a brain of one tissue."""
    away = np.linalg.norm(np.indices(COARSE_SHAPE) - np.array(COARSE_SHAPE).reshape(3, 1, 1, 1) / 2, axis=0)
    whole, core = (np.clip(1 - away / (2 * radius), 0, 1).astype(np.float32) for radius in (10, 6))
    empty = np.zeros(BOX_SHAPE, np.float32)
    tissues = {"gm": empty, "csf": empty, "wm": empty} | {tissue: empty + 1}
    return compartments(np.random.default_rng(1), whole, core, np.ones(BOX_SHAPE, bool), tissues, plan)


def test_many_tumors_are_large_start_below_the_cortex_and_grow_into_it():
    """Thirteen patients: a median of 112 ml, and 8 % of the tumor within 6 mm of the brain's surface (0.02 to 0.20)."""
    wm = np.zeros(COARSE_SHAPE, np.float32)
    wm[20:60, 20:80, 20:60] = 1
    # A sheet of white matter, as in a fold of the cortex.
    wm[10:12, 20:80, 20:60] = 1
    plans = [draw_any_plan(np.random.default_rng(seed), wm, wm > 0) for seed in range(300)]
    tumors = [plan for plan in plans if plan.foci]
    cortical = [plan for plan in tumors if plan.cortical]
    assert len(cortical) / len(tumors) == pytest.approx(SURFACE, abs=0.1)
    depth = ndimage.distance_transform_edt(wm)
    assert all(depth[plan.foci[0]] <= 2 for plan in cortical)
    assert np.mean([depth[plan.foci[0]] <= 2 for plan in tumors if not plan.cortical]) < 0.5
    assert 40 < np.median([plan.whole_ml for plan in tumors]) < 100


def test_edema_spares_the_cortex_unless_the_tumor_grows_into_it():
    white, spared, taken = (
        np.bincount(grown(Plan(**USUAL, cortical=cortical), tissue).ravel(), minlength=4)[2]
        for tissue, cortical in (("wm", 0), ("gm", 0), ("gm", 1))
    )
    assert spared < 0.7 * white
    assert taken == white


def test_a_core_enhances_in_patches_as_a_whole_or_not_at_all():
    rim, patchy, solid, faint, healthy = (
        np.bincount(grown(Plan(**USUAL | changes)).ravel(), minlength=4)
        for changes in ({}, {"patchy": 0.7}, {"rim_mm": 40}, {"enhancing": False}, {"foci": []})
    )
    assert rim[1] > 0 < rim[3]
    assert patchy[3] / (patchy[1] + patchy[3]) == pytest.approx(0.3, abs=0.01)
    assert solid[1] == 0 < solid[3]
    assert faint[3] == 0 < faint[1]
    assert healthy[1:].sum() == 0
    assert rim[1] + rim[3] == patchy[1] + patchy[3] == solid[3] == faint[1]


def test_the_maps_of_tissues_are_fractions_that_agree_with_the_mask(monkeypatch):
    shares = dict.fromkeys(SHARES, 0.0) | {"healthy": 1.0}
    monkeypatch.setattr("glioseg.synthesize.kinds.SHARES", shares)
    images, mask, maps = phantom_and_tissues("phantom_001", 42, "many")
    assert not mask.any()
    assert maps.dtype == np.uint8
    assert maps.shape == (*BOX_SHAPE, len(TISSUES))
    brain = maps[..., :6].any(-1)
    assert brain.sum() == (images["t1"] > 0).sum()
    total = maps[..., :6].astype(int).sum(-1)[brain]
    assert abs(total - 255).max() <= 3
    assert not maps[..., 3:6].any()


def test_most_tumors_after_surgery_have_a_cavity_and_the_others_none():
    wm = np.ones(COARSE_SHAPE, np.float32)
    plans = [draw_treated_plan(np.random.default_rng(seed), wm, wm > 0) for seed in range(300)]
    assert 0.7 < np.mean([plan.cavity > 0 for plan in plans]) < 0.9
    assert max(plan.cavity for plan in plans) < 1
    assert not any(draw_any_plan(np.random.default_rng(seed), wm, wm > 0).cavity for seed in range(50))


def test_surgery_removes_its_share_of_the_core():
    whole, cut = (np.bincount(grown(Plan(**USUAL, cavity=cavity)).ravel(), minlength=5) for cavity in (0, 0.6))
    assert whole[4] == 0
    assert cut[4] / (whole[1] + whole[3]) == pytest.approx(0.6, abs=0.02)
    assert cut[1] + cut[3] + cut[4] == whole[1] + whole[3]
    assert cut[2] == whole[2]


def test_a_cavity_is_fluid_with_a_label_of_its_own():
    images, mask, maps = phantom_and_tissues("phantom_006", 42, "treated")
    classes = to_classes(mask, OF_PHANTOMS["treated"])
    cavity, tumor = region(classes, "RC"), region(classes, "WT")
    assert cavity.sum() > 10_000 < tumor.sum()
    assert np.median(images["flair"][cavity]) < 0.5 * np.median(images["flair"][tumor])
    in_cavity = maps[cavity[BOX]] / 255
    assert in_cavity[:, TISSUES.index("csf")].mean() > 0.8
    assert in_cavity[:, [TISSUES.index(name) for name in REGIONS["WT"] if name in TISSUES]].sum(-1).mean() < 0.1


def test_each_kind_of_phantoms_has_a_label_dialect():
    assert set(OF_PHANTOMS) == set(KINDS)
