"""A contrast that is drawn from tissue maps is plausible, normalized, and determined by the seed."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from glioseg.synthesize.contrast import TISSUES, draw_contrast, paint

MODALITIES = ("flair", "t1", "t1ce", "t2")


def drawn(seed, modalities=MODALITIES):
    return draw_contrast(np.random.default_rng(seed), modalities, True)


def drawn_by_no_scanner(**changes):
    """A contrast without bias, noise, slices and texture of healthy tissue, but with these changes."""
    plain = np.zeros(4)
    one = replace(drawn(3), bias=plain, noise=plain, blur=plain + 0.1, thick=plain + 1, everywhere=np.zeros((4, 4)))
    return replace(one, ends=np.zeros((2, 4)), **changes)


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
    """In standard deviations of a whole scan: the middle half of the draws lies within what thirteen patients have."""
    brain = np.zeros((1000, len(TISSUES)), np.float32)
    # A brain of patients by volume; vessels and the rim add to its tissues.
    for part, name in (
        (slice(0, 100), "csf"),
        (slice(100, 500), "gm"),
        (slice(500, 920), "wm"),
        (slice(920, 980), "edema"),
        (slice(980, 985), "enhancing"),
        (slice(985, 1000), "necrosis"),
        (slice(0, 30), "vessels"),
        (slice(100, 200), "rim"),
    ):
        brain[part, TISSUES.index(name)] = 1
    found = []
    for seed in range(300):
        one = drawn(seed)
        whole = brain @ one.signals
        deviation = one.wider * whole.std(0) * np.sqrt(1 + (one.everywhere**2).sum(0))
        found.append((one.signals - whole.mean(0)) / deviation)
    quarter, three_quarters = np.percentile(found, [25, 75], axis=0)
    known = {
        ("flair", "edema"): (0.9, 3),
        ("flair", "necrosis"): (-1, 3.3),
        ("t1", "edema"): (-0.8, 0.8),
        ("t1", "necrosis"): (-2, 0.7),
        # Before borders take their share: those of patients have 1.2 to 2.4.
        ("t1ce", "enhancing"): (1, 5),
        ("t1ce", "necrosis"): (-2, 1.1),
        ("t2", "edema"): (0.2, 2),
        ("t2", "enhancing"): (0, 2.5),
        ("t2", "necrosis"): (0.7, 2.5),
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
    contrasts = [replace(drawn(seed), ends=np.zeros((2, 4))) for seed in range(30)]
    images = np.stack(
        [paint(np.random.default_rng(seed), maps, maps[brain], contrast) for seed, contrast in enumerate(contrasts)]
    )
    assert images.dtype == np.float32
    assert not images[:, ~brain].any()
    inside = images[:, brain]
    assert abs(inside.mean((0, 1))).max() < 0.15
    # Below 1, since blur takes from the slabs, and scans hold more than tissues.
    np.testing.assert_allclose(inside.std(1).mean(0), 0.65, atol=0.12)
    # Enhancing tumor is the brightest tissue of T1ce in the mean over contrasts.
    bright = images[:, 12, 12, :, 2].mean(0)
    assert abs(np.argmax(bright) - 16.5) <= 1.5


def test_modalities_share_a_part_of_the_texture_of_healthy_tissue():
    """Patients have a spread of 0.32 to 0.36 within millimeters, in standard deviations of the scan."""
    maps = np.zeros((32, 32, 32, len(TISSUES)), np.float32)
    maps[..., TISSUES.index("wm")] = 1
    sample = np.zeros((100, len(TISSUES)), np.float32)
    for place, name in enumerate(("csf", "gm", "wm")):
        sample[place * 33 : place * 33 + 34, TISSUES.index(name)] = 1
    spreads, shared = [], []
    for seed in range(60):
        image = paint(np.random.default_rng(seed), maps, sample, drawn(seed))
        fine = np.stack([image[..., channel] - ndimage.gaussian_filter(image[..., channel], 2) for channel in range(4)])
        spreads.append(fine.std((1, 2, 3)))
        shared.append(np.corrcoef(fine[0].ravel(), fine[3].ravel())[0, 1])
    assert 0.06 < np.median(spreads) < 0.4
    assert min(shared) < -0.2 < 0.2 < max(shared)


def test_some_scans_end_before_the_brain():
    maps = slabs()
    one = replace(drawn(1), ends=np.array([[0, 3, 0, 0], [0, 0, 5, 0]]), thick=np.ones(4), blur=np.full(4, 0.1))
    full, cut = (
        paint(np.random.default_rng(5), maps, maps[maps.any(-1)], contrast)
        for contrast in (replace(one, ends=np.zeros((2, 4))), one)
    )
    changed = (full != cut).any((0, 1))
    assert [channel.nonzero()[0].tolist() for channel in changed.T] == [[], [2, 3, 4], [17, 18, 19, 20, 21], []]
    assert len(np.unique(cut[5:9, 5:9, 3, 1])) == 1
    ends = np.stack([drawn(seed).ends for seed in range(200)])
    assert 0.1 < (ends > 0).mean() < 0.2


def test_what_stripping_leaves_is_fat_in_some_and_takes_up_contrast_agent_in_others():
    rims = np.stack([drawn(seed).signals[TISSUES.index("rim")] for seed in range(400)])
    _, t1, t1ce, _ = rims.T
    # Fat is as bright on T1 as on T1ce; what enhances is brighter on T1ce.
    assert 0.05 < ((t1 > 0.4) & (abs(t1ce / t1 - 1) < 0.25)).mean() < 0.4
    assert 0.05 < ((t1 < 0.3) & (t1ce > 0.4)).mean() < 0.5
    # As bright as the orbits of a patient: 1.2 beyond the brain on T1.
    assert 1.2 < t1.max() < 1.7


def test_the_rim_of_one_brain_has_two_tissues():
    maps = np.zeros((48, 48, 48, len(TISSUES)), np.float32)
    maps[..., TISSUES.index("wm")] = maps[:, :, 16:, TISSUES.index("rim")] = 1
    one = drawn_by_no_scanner(parts=np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]]))
    sample = np.concatenate([maps.reshape(-1, len(TISSUES))[:100], np.eye(len(TISSUES), dtype=np.float32)[:3]])
    image = paint(np.random.default_rng(0), maps, sample, one)
    assert len(np.unique(image[:, :, :12].round(3).reshape(-1, 4), axis=0)) == 1
    rim = image[:, :, 20:]
    assert [len(np.unique(rim[..., channel].round(3))) > 1 for channel in range(4)] == [True, False, False, False]
    high = rim[..., 0] > (rim[..., 0].min() + rim[..., 0].max()) / 2
    assert 0.1 < high.mean() < 0.9


def test_the_necrosis_of_every_second_patient_is_a_cyst_in_a_part():
    maps = np.zeros((48, 48, 48, len(TISSUES)), np.float32)
    maps[:, :, :16, TISSUES.index("wm")] = maps[:, :, 16:, TISSUES.index("necrosis")] = 1
    parts, plain = np.array([[0, 0, 0, 0], [-0.5, 0, 0, 0.5]]), np.zeros((3, 4))
    one = drawn_by_no_scanner(parts=parts, coarse=plain, fine=plain)
    image = paint(np.random.default_rng(0), maps, np.eye(len(TISSUES), dtype=np.float32)[:6], one)
    flair, t1, t1ce, t2 = np.moveaxis(image[:, :, 20:], -1, 0)
    assert np.ptp(t1) < 0.01 and np.ptp(t1ce) < 0.01
    cyst = flair < (flair.min() + flair.max()) / 2
    assert 0.1 < cyst.mean() < 0.9
    np.testing.assert_array_equal(cyst, t2 > (t2.min() + t2.max()) / 2)
    # Elsewhere, nothing is a cyst.
    assert all(np.ptp(image[:, :, :12, channel]) < 0.01 for channel in range(4))
    cystic = [drawn(seed).parts[1].any() for seed in range(200)]
    assert 0.4 < np.mean(cystic) < 0.6


def test_the_seed_determines_the_image():
    maps = slabs()
    sample = maps[maps.any(-1)]
    first, again, other = (paint(np.random.default_rng(seed), maps, sample, drawn(1)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
