"""A contrast that is drawn from tissue maps is plausible, normalized, and determined by the seed."""

import numpy as np
import pytest

from glioseg.synthesize.contrast import TISSUES, draw_contrast, paint

MODALITIES = ("flair", "t1", "t1ce", "t2")


def drawn(seed, modalities=MODALITIES):
    return draw_contrast(np.random.default_rng(seed), modalities, True)


def slabs():
    """Maps of a block of white matter with a slab of each other fraction, and background around it."""
    maps = np.zeros((24, 24, 24, len(TISSUES)), np.float32)
    maps[2:22, 2:22, 2:22, TISSUES.index("wm")] = 1
    for place, name in enumerate(("csf", "gm", "edema", "enhancing")):
        slab = (slice(2, 22), slice(2, 22), slice(4 + 4 * place, 6 + 4 * place))
        maps[slab] = 0
        maps[(*slab, TISSUES.index(name))] = 1
    return maps


def test_each_modality_keeps_what_it_is_known_for():
    signals = {name: [] for name in MODALITIES}
    for seed in range(200):
        for name, column in zip(MODALITIES, drawn(seed).signals.T, strict=True):
            signals[name].append(dict(zip(TISSUES, column.tolist(), strict=True)))
    assert all(one["edema"] > one["gm"] > one["csf"] for one in signals["flair"])
    assert all(one["wm"] > one["gm"] > one["csf"] for one in signals["t1"])
    assert all(one["enhancing"] > max(one["wm"], one["gm"]) for one in signals["t1ce"])
    assert all(one["csf"] > one["wm"] and one["edema"] > one["gm"] for one in signals["t2"])
    # Edema that is faint on FLAIR is faint on T2.
    visible = [[one["edema"] / one["gm"] for one in signals[name]] for name in ("flair", "t2")]
    assert np.corrcoef(visible)[0, 1] > 0.7
    assert np.ptp(visible[0]) > 0.5


def test_tumors_have_the_signals_of_patients():
    """In standard deviations of a whole scan: the middle half of the draws lies within what eleven patients have."""
    brain = np.zeros((1000, len(TISSUES)), np.float32)
    # A brain of patients by volume.
    for part, name in (
        (slice(0, 100), "csf"),
        (slice(100, 520), "gm"),
        (slice(520, 930), "wm"),
        (slice(930, 1000), "edema"),
    ):
        brain[part, TISSUES.index(name)] = 1
    found = []
    for seed in range(300):
        one = drawn(seed)
        whole = brain @ one.signals
        found.append((one.signals - whole.mean(0)) / (one.wider * whole.std(0)))
    quarter, three_quarters = np.percentile(found, [25, 75], axis=0)
    known = {
        ("flair", "edema"): (0.9, 3),
        ("flair", "necrosis"): (-1, 3.3),
        ("t1", "edema"): (-0.8, 0.8),
        ("t1", "necrosis"): (-2, 0.7),
        ("t1ce", "enhancing"): (1, 3.7),
        ("t1ce", "necrosis"): (-2, 1.1),
        ("t2", "edema"): (0.2, 2),
        ("t2", "enhancing"): (0, 2.5),
    }
    for (modality, tissue), (low, high) in known.items():
        place = TISSUES.index(tissue), MODALITIES.index(modality)
        assert low <= quarter[place] < three_quarters[place] <= high, (modality, tissue)


def test_blood_makes_some_necrosis_bright_on_t1():
    dark = [
        one.signals[TISSUES.index("necrosis"), 1] < one.signals[TISSUES.index("edema"), 1]
        for one in map(drawn, range(300))
    ]
    assert 0.75 < np.mean(dark) < 0.97


def test_a_study_with_two_modalities_sees_the_same_patients():
    all_of_them, two = drawn(3), drawn(3, ("t1ce", "flair"))
    np.testing.assert_array_equal(two.signals, all_of_them.signals[:, [2, 0]])
    np.testing.assert_array_equal(two.thick, all_of_them.thick[[2, 0]])


def test_an_unknown_modality_is_named():
    with pytest.raises(ValueError, match="modality: 'adc' is not known; expected one of flair, t1, t1ce, t2"):
        drawn(3, ("flair", "adc"))


def test_an_image_is_normalized_and_empty_outside_of_the_brain():
    maps = slabs()
    brain = maps.any(-1)
    images = np.stack([paint(np.random.default_rng(seed), maps, maps[brain], drawn(seed)) for seed in range(30)])
    assert images.dtype == np.float32
    assert not images[:, ~brain].any()
    inside = images[:, brain]
    assert abs(inside.mean((0, 1))).max() < 0.15
    # Below 1, since scans hold more than tissues.
    np.testing.assert_allclose(inside.std(1).mean(0), 0.55, atol=0.15)
    # Enhancing tumor is the brightest tissue of T1ce in the mean over contrasts.
    bright = images[:, 12, 12, :, 2].mean(0)
    assert abs(np.argmax(bright) - 16.5) <= 1.5


def test_the_seed_determines_the_image():
    maps = slabs()
    sample = maps[maps.any(-1)]
    first, again, other = (paint(np.random.default_rng(seed), maps, sample, drawn(1)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
