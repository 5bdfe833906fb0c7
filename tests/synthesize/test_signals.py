"""Signals of tissues differ between patients as far as scanners and tumors do."""

import numpy as np
import pytest

from glioseg.synthesize.signals import SIGNALS, draw_remains

FLUIDS = np.array([0.3, 0.9])


def drawn(name, plain=0.5, fluids=FLUIDS, count=300):
    return [SIGNALS[name](np.random.default_rng(seed), plain, fluids) for seed in range(count)]


def test_cysts_look_like_fluid_of_the_brain_and_decay_mostly_does_not():
    """On FLAIR, BraTS2021_01484 and pat0005 of BraTS 2013 have cysts that are as dark as ventricles."""
    flair = [(*one["necrosis"] / one["gm"], one["csf"] / one["gm"]) for one in drawn("flair")]
    decay, cyst, csf = np.transpose(flair)
    darker = (cyst < 0.7).mean(), (decay < 0.7).mean()
    assert darker[0] > 0.35 > 0.1 > darker[1]
    assert (cyst > csf).all()
    for name, brighter in (("t1", False), ("t1ce", False), ("t2", True)):
        decay, cyst = np.transpose([one["necrosis"] for one in drawn(name)])
        assert (cyst >= decay if brighter else cyst <= decay).mean() > 0.95, name


@pytest.mark.parametrize("name", ["flair", "t2"])
def test_a_plain_edema_is_brighter_than_a_faint_one(name):
    faint, plain = ([one["edema"] / one["gm"] for one in drawn(name, plain)] for plain in (0.1, 1))
    assert 1.05 < np.mean(faint) < 1.3 < 1.7 < np.mean(plain)


def test_remains_without_contrast_agent_are_as_bright_on_t1_as_on_t1ce():
    _, t1, t1ce, _ = np.transpose([draw_remains(np.random.default_rng(seed)) for seed in range(400)])
    alike = abs(t1ce - t1) <= 0.2 * abs(t1) + 1e-9
    assert 0.5 < alike.mean() < 0.8
    assert (t1ce[~alike] > t1[~alike]).mean() > 0.7
