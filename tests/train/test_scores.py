"""Scores during training against values computed by hand."""

import numpy as np
import pytest

from glioseg.labels import CLASSES
from glioseg.train import device  # noqa: F401  (before TensorFlow)


def test_region_scores_by_hand():
    from glioseg.train.scores import Scores

    scores = Scores(CLASSES[:4], "classes")
    truth, predicted = np.array([0, 1, 2, 3, 3, 2]), np.array([0, 1, 1, 3, 0, 2])
    scores.update_state(truth[None], np.eye(4)[predicted][None])
    result = {name: float(value) for name, value in scores.result().items()}
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["dice_wt"] == pytest.approx(2 * 4 / (5 + 4))
    assert result["dice_tc"] == pytest.approx(2 * 2 / (3 + 3))
    assert result["dice_et"] == pytest.approx(2 * 1 / (2 + 1))
    empty = Scores(CLASSES[:4], "classes")
    empty.update_state(np.array([[0, 0]]), np.eye(4)[[0, 0]][None])
    assert float(empty.result()["dice"]) == 1
    uniform = Scores(CLASSES[:4], "classes")
    uniform.update_state(np.array([[0, 2, 2, 4]]), np.full((1, 4, 4), 0.25))
    # A voxel of a class that the study lacks is ignored.
    assert np.asarray(uniform.confusion).tolist() == [[1, 0, 0, 0], [0] * 4, [2, 0, 0, 0], [0] * 4]


def test_scores_and_channels_follow_the_classes_of_the_study():
    from glioseg.train.scores import Scores

    scores = Scores(("background", "edema", "enhancing", "cyst"), "classes")
    truth, predicted = np.array([0, 1, 2, 3]), np.array([0, 1, 3, 0])
    scores.update_state(truth[None], np.eye(4)[predicted][None])
    result = {name: float(value) for name, value in scores.result().items()}
    assert result["dice_wt"] == pytest.approx(2 * 2 / (3 + 2))
    assert result["dice_tc"] == pytest.approx(2 * 1 / (2 + 1))
    assert result["dice_et"] == 0


def test_classes_that_are_no_tumor_are_scored_as_a_whole():
    from glioseg.train.scores import Scores

    scores = Scores(("background", "brain"), "classes")
    scores.update_state(np.array([[0, 1, 1, 1]]), np.eye(2)[[1, 1, 1, 0]][None])
    assert float(scores.result()["dice"]) == pytest.approx(2 * 2 / (3 + 3))


def test_iou_is_that_of_segmentation_models():
    import segmentation_models_3D as sm

    from glioseg.train.scores import Scores

    random = np.random.default_rng(0)
    scores, theirs = Scores(CLASSES[:4], "classes"), []
    for _ in range(3):
        truth = random.integers(0, 3, (1, 5, 6, 7))
        predicted = random.dirichlet(np.ones(4) / 2, (1, 5, 6, 7)).astype(np.float32)
        scores.update_state(truth, predicted)
        theirs.append(float(sm.metrics.IOUScore(threshold=0.5)(np.eye(4, dtype=np.float32)[truth], predicted)))
    assert float(scores.result()["iou"]) == pytest.approx(np.mean(theirs), rel=1e-4)


def test_scores_of_regions_are_those_of_their_classes():
    from glioseg.train.losses import membership
    from glioseg.train.scores import Scores, exclusive_classes

    classes = CLASSES[:5]
    random = np.random.default_rng(0)
    indices = random.integers(0, 5, (2, 3, 4, 5))
    truth = np.eye(5, dtype=np.float32)[indices]
    regions = truth @ np.asarray(membership(classes))
    assert (np.asarray(exclusive_classes(regions * 0.4 + 0.2, classes)) == indices).all()
    scores = Scores(classes, "regions")
    scores.update_state(indices, regions)
    result = {name: float(value) for name, value in scores.result().items()}
    assert result["dice"] == result["accuracy"] == pytest.approx(1)
    exclusive = Scores(classes, "classes")
    exclusive.update_state(indices, truth)
    assert {name: float(value) for name, value in exclusive.result().items()} == pytest.approx(result)
