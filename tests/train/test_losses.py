"""Losses against values computed by hand."""

import numpy as np
import pytest

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)


def test_losses_by_hand():
    from glioseg.train.losses import build_loss

    truth = np.zeros((1, 2, 2, 2, 4), np.float32)
    truth[..., 0] = 1
    truth[0, 0, 0, 0] = [0, 0, 0, 1]
    perfect = float(build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)(truth, truth))
    assert perfect == pytest.approx(0, abs=1e-5)
    # Uniform prediction: the cross-entropy is ln 4, the Dice of the only class present is 2 * 0.25 / (1 + 2).
    uniform = np.full_like(truth, 0.25)
    expected = np.log(4) + 1 - 0.5 / 3
    assert float(build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)(truth, uniform)) == pytest.approx(
        expected, rel=1e-5
    )
    healthy = np.zeros_like(truth)
    healthy[..., 0] = 1
    assert float(build_loss(["dice_cross_entropy"], CLASSES[:4], "classes", True)(healthy, uniform)) == pytest.approx(
        np.log(4), rel=1e-5
    )
    # With the original's class weights a perfect prediction has a loss of 0.75; several losses are summed.
    assert float(build_loss(["sm_dice"], CLASSES[:4], "classes", True)(truth, truth)) == pytest.approx(0.75, abs=1e-4)
    both = float(build_loss(["sm_dice", "sm_focal"], CLASSES[:4], "classes", True)(truth, uniform))
    parts = [
        float(build_loss([name], CLASSES[:4], "classes", True)(truth, uniform)) for name in ("sm_dice", "sm_focal")
    ]
    assert both == pytest.approx(sum(parts))


def test_region_loss_by_hand():
    from glioseg.train.losses import build_loss

    # Two patches of four voxels: one with a voxel of each class, one without tumor.
    truth = np.zeros((2, 4, 1, 1, 4), np.float32)
    truth[0, range(4), 0, 0, range(4)] = 1
    truth[1, ..., 0] = 1
    half = np.full((2, 4, 1, 1, 3), 0.5, np.float32)
    # Per region, the truth has 3, 2, 1 voxels; the prediction sums to 4 (both patches) or to 2 (the first).
    both = [2 * 0.5 * held / (held + 4) for held in (3, 2, 1)]
    expected = 1 - np.mean(both) + np.log(2)
    names, classes = ["dice_cross_entropy"], CLASSES[:4]
    assert float(build_loss(names, classes, "regions", True)(truth, half)) == pytest.approx(expected, rel=1e-5)
    first = [2 * 0.5 * held / (held + 2) for held in (3, 2, 1)]
    expected = 1 - np.mean(first) + np.log(2)
    assert float(build_loss(names, classes, "regions", False)(truth, half)) == pytest.approx(expected, rel=1e-5)
    perfect = np.zeros((2, 4, 1, 1, 3), np.float32)
    perfect[0, 1:, 0, 0] = [[1, 1, 0], [1, 0, 0], [1, 1, 1]]  # necrosis, edema, enhancing
    assert float(build_loss(names, classes, "regions", True)(truth, perfect)) == pytest.approx(0, abs=1e-5)
    with pytest.raises(ValueError, match="sm_dice requires targets: classes"):
        build_loss(["sm_dice"], classes, "regions", True)
