"""Compare decisions and uncertainty with results calculated by hand."""

import numpy as np
import pytest
from examples import TISSUES

from glioseg.labels import CLASSES, region
from glioseg.predict import decide as deciding


def test_decisions_by_hand():
    softmax = np.array([[0.5, 0.1, 0.3, 0.1], [0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]], np.float32)
    assert deciding.decide(softmax, TISSUES, "classes", {}).tolist() == [0, 3, 0]
    assert deciding.decide(softmax[:, [0, 3]], ("background", "enhancing"), "classes", {}).tolist() == [0, 3, 0]
    random = np.random.default_rng(0).dirichlet(np.ones(4), (5, 6, 7)).astype(np.float32)
    assert (deciding.decide(random, TISSUES, "classes", {}) == random.argmax(axis=-1)).all()
    with pytest.raises(ValueError, match="expected one of classes, regions"):
        deciding.decide(softmax, TISSUES, "boxes", {})


def test_regions_nest_by_hand():
    sigmoids = np.array(
        [[0.4, 0.9, 0.9], [0.6, 0.4, 0.9], [0.6, 0.6, 0.4], [0.6, 0.6, 0.6], [0.5, 0.5, 0.5]], np.float32
    )[:, None, None]
    # Outside WT always background; edema; necrosis; enhancing; a sigmoid of exactly 0.5 is outside.
    expected = [CLASSES.index(name) for name in ("background", "edema", "necrosis", "enhancing", "background")]
    found = deciding.decide(sigmoids, ["WT", "TC", "ET"], "regions", {})
    assert found.dtype == np.uint8 and found.shape == (5, 1, 1)
    assert found[:, 0, 0].tolist() == expected
    # The order of regions does not matter, and the classes give back the nested thresholded regions.
    assert (deciding.decide(sigmoids[..., ::-1], ["ET", "TC", "WT"], "regions", {}) == found).all()
    assert (region(found, "TC") == ((sigmoids[..., 0] > 0.5) & (sigmoids[..., 1] > 0.5))).all()
    cavity = np.array([[0.1, 0, 0, 0.9], [0.9, 0, 0, 0.9]], np.float32)[:, None, None]
    assert deciding.decide(cavity, ["WT", "TC", "ET", "RC"], "regions", {})[:, 0, 0].tolist() == [4, 2]


def test_thresholds_of_regions_by_hand():
    sigmoids = np.array([[0.4, 0.9, 0.9], [0.6, 0.45, 0.9], [0.6, 0.6, 0.7]], np.float32)[:, None, None]
    regions = ["WT", "TC", "ET"]
    thresholds = {"WT": 0.3, "TC": 0.5, "ET": 0.8}
    found = deciding.decide(sigmoids, regions, "regions", thresholds)
    assert found[:, 0, 0].tolist() == [CLASSES.index(name) for name in ("enhancing", "edema", "necrosis")]
    # The same, from a segmentation with other thresholds and the maps; a cavity outside of the new WT stays.
    before = deciding.decide(sigmoids, regions, "regions", {})
    maps = {name: sigmoids[..., place] for place, name in enumerate(regions)}
    assert (deciding.cut_again(before, maps, thresholds) == found).all()
    before[1] = CLASSES.index("cavity")
    high = deciding.cut_again(before, maps, {"WT": 0.65, "TC": 0.5, "ET": 0.5})
    assert high[:, 0, 0].tolist() == [0, CLASSES.index("cavity"), 0]


def test_region_probabilities_and_uncertainty_by_hand():
    softmax = np.zeros((10, 10, 10, 4), np.float32)
    softmax[..., 0] = 1
    softmax[:5, :, :] = (0, 0.25, 0.25, 0.5)
    probabilities = {name: deciding.region_probabilities(softmax, TISSUES, "classes", name) for name in ("WT", "TC")}
    assert probabilities["WT"][0, 0, 0] == 1 and probabilities["TC"][0, 0, 0] == 0.75
    found = deciding.uncertainty(softmax, TISSUES, "classes", {}, 1.0)
    small = deciding.SMOOTHING_ML
    # 500 voxels: WT has probability 1; TC 0.75: 2 · 375 / (500 + 375). ET has 0.5 and is not predicted: it
    # is absent with a probability of 0.5, and then has a Dice of 1.
    assert found["expected_dice"]["WT"] == pytest.approx(1)
    assert found["expected_dice"]["TC"] == pytest.approx((750 + small) / (875 + small))
    assert found["expected_dice"]["ET"] == pytest.approx(0.5)
    assert found["uncertainty"] == pytest.approx(1 - np.mean(list(found["expected_dice"].values())))
    assert found["entropy"] == pytest.approx(1.5 / 2)
    nothing = softmax.copy()
    nothing[...] = (1, 0, 0, 0)
    assert deciding.uncertainty(nothing, TISSUES, "classes", {}, 0.001)["uncertainty"] == 0
    # Small probabilities all over a scan, which add up to many voxels, are no doubt about an absent region.
    nothing[...] = (0.98, 0.01, 0.01, 0)
    assert deciding.uncertainty(nothing, TISSUES, "classes", {}, 0.001)["uncertainty"] == pytest.approx(0.01)
    nothing[:2, :5, :5] = (0.6, 0, 0, 0.4)  # 50 of the 100 voxels of 0.1 ml
    expected = deciding.uncertainty(nothing, TISSUES, "classes", {}, 0.001)["expected_dice"]["ET"]
    assert expected == pytest.approx(1 - 0.2)
    # The expected Dice is that of the segmentation with its thresholds: half of the voxels, or none.
    sigmoids = np.zeros((10, 10, 10, 3), np.float32)
    sigmoids[:5] = 0.6
    for threshold, expected in ((0.5, (2 * 300 + small) / (500 + 300 + small)), (0.7, 1 - 0.6)):
        found = deciding.uncertainty(sigmoids, ["WT", "TC", "ET"], "regions", {"ET": threshold}, 1.0)
        assert found["expected_dice"]["ET"] == pytest.approx(expected, rel=1e-5)
    sigmoids = np.full((2, 2, 2, 3), 0.5, np.float32)
    assert deciding.entropy(sigmoids, "regions") == pytest.approx(1)
    with pytest.raises(ValueError, match="but not RC; remove RC from maps"):
        deciding.region_probabilities(softmax, TISSUES, "classes", "RC")
