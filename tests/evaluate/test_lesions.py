"""Compare lesion-wise scores with results calculated by hand on blocks, and with the challenge's own code."""

import numpy as np
import pytest
from examples import ONE_MM, by_the_challenge

from glioseg.evaluate.metrics import score_regions

SHAPE = (40, 24, 24)


def blocks(*corners: tuple[int, int, int], size: tuple[int, int, int] = (4, 4, 4)) -> np.ndarray:
    """Return class indices with blocks of enhancing tumor (by default 64 voxels) at these lowest corners."""
    classes = np.zeros(SHAPE, np.uint8)
    for corner in corners:
        classes[tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))] = 3
    return classes


def lesion_scores(truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple = ONE_MM) -> tuple[float, float]:
    scores = score_regions(truth, prediction, spacing_mm, ["ET"])["ET"]
    return scores["lesion_dice"], scores["lesion_hd95_mm"]


def gap(voxels: int) -> tuple[int, int, int]:
    """Return the corner of a block at this many empty voxels from the block at 4, 4, 4."""
    return 8 + voxels, 4, 4


def test_found_shifted_missed_and_false_lesions_by_hand() -> None:
    truth = blocks((4, 4, 4), (20, 4, 4), (32, 16, 16))
    prediction = blocks((4, 4, 4), (22, 4, 4), (4, 18, 18))
    # Dice 1, 1/2, 0 and 0. In the second lesion 32 of 112 surface voxels are 2 mm away: HD95 0, 2, 374 and 374.
    assert lesion_scores(truth, prediction) == pytest.approx((1.5 / 4, 750 / 4))


def test_true_lesions_whose_surroundings_meet_are_one() -> None:
    found = blocks((4, 4, 4))
    # 64 of 128 voxels are found. Of 168 surface voxels, those of the far block are 7 to 10 mm away, 16 of them 10 mm.
    dice, hd95_mm = lesion_scores(blocks((4, 4, 4), gap(6)), found)
    assert dice == pytest.approx(2 * 64 / (64 + 128)) and hd95_mm == 10
    assert lesion_scores(blocks((4, 4, 4), gap(7)), found) == pytest.approx((1 / 2, 374 / 2))


def test_a_prediction_in_the_surroundings_of_a_lesion_belongs_to_it() -> None:
    # Up to 6 mm along an axis. Farther away, the lesion is missed and the prediction is a false positive.
    assert lesion_scores(blocks((4, 4, 4)), blocks(gap(2))) == pytest.approx((0, 6))
    assert lesion_scores(blocks((4, 4, 4)), blocks(gap(3))) == (0, 374)


@pytest.mark.parametrize(
    ("size", "spacing_mm", "expected"),
    [
        ((5, 5, 2), ONE_MM, (1, 0)),  # 50 mm³: ignored
        ((17, 3, 1), ONE_MM, (0, 374)),  # 51 mm³: missed
        ((5, 5, 2), (1.0, 1.0, 2.0), (0, 374)),
    ],
)
def test_small_true_lesions_are_ignored(size: tuple, spacing_mm: tuple, expected: tuple) -> None:
    assert lesion_scores(blocks((4, 4, 4), size=size), blocks(), spacing_mm) == expected


def test_predictions_that_touch_an_ignored_lesion_are_not_false_positives() -> None:
    small = blocks((4, 4, 4), size=(3, 3, 3))
    assert lesion_scores(small, blocks((6, 6, 6))) == (1, 0)
    assert lesion_scores(small, blocks((20, 16, 16), size=(1, 1, 1))) == (0, 374)  # false positives count at any size


def test_one_prediction_across_two_lesions_counts_for_both() -> None:
    # Each true lesion has 64 voxels, the prediction 320.
    dice, _ = lesion_scores(blocks((4, 4, 4), gap(12)), blocks((4, 4, 4), size=(20, 4, 4)))
    assert dice == pytest.approx(2 * 64 / (64 + 320))


def test_predicted_voxels_that_share_a_corner_are_one_lesion() -> None:
    corner = blocks((4, 4, 4)) | blocks((8, 8, 8))
    # As truth and prediction: one lesion of 128 voxels. As prediction for one block: no false positive.
    assert lesion_scores(corner, corner) == (1, 0)
    dice, hd95_mm = lesion_scores(blocks((4, 4, 4)), corner)
    assert dice == pytest.approx(2 * 64 / (64 + 128)) and hd95_mm < 374


def test_a_lesion_at_the_edge_of_the_scan_is_found() -> None:
    edge = blocks((0, 0, 0), (36, 20, 20))
    assert lesion_scores(edge, edge) == (1, 0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("truth", "prediction"),
    [
        ([(4, 4, 4), (20, 4, 4), (32, 16, 16)], [(4, 4, 4), (22, 4, 4), (4, 18, 18)]),
        ([(4, 4, 4), (20, 4, 4), (32, 16, 16)], [(5, 6, 4), (21, 5, 5), (31, 15, 15)]),
        ([(4, 4, 4), (20, 4, 4)], [(30, 16, 16)]),
        ([(0, 0, 0), (18, 10, 10), (36, 20, 20)], [(1, 0, 0), (35, 20, 20)]),
    ],
    ids=["found, missed and false", "all found", "none found", "at the edge"],
)
def test_lesions_against_the_code_of_the_challenge(truth: list, prediction: list, tmp_path, monkeypatch) -> None:
    """If lesions are far apart and each overlaps at most one prediction, today's rules equal those of 2023.

    brats-evaluation merges no neighboring lesions, ignores no small ones, and matches one prediction to each lesion. It
    averages over found lesions only. This test adds missed and false positive ones as it does for metastases: 374 mm.
    """
    pair = blocks(*truth), blocks(*prediction)
    theirs = by_the_challenge(pair, tmp_path, monkeypatch)["et"]
    found = [lesion for lesion in theirs["reference_instances"] if lesion["is_matched"]]
    penalties = theirs["fn"] + theirs["fp"]
    assert len(found) + theirs["fn"] == len(truth)
    dice = sum(lesion["sq_dsc"] for lesion in found)
    hd95_mm = sum(lesion["sq_hd95"] for lesion in found) + 374 * penalties
    count = len(found) + penalties
    assert lesion_scores(*pair) == pytest.approx((dice / count, hd95_mm / count), rel=1e-9)
