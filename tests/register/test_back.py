"""The label map in the common space lies on every series where the tumor is."""

import numpy as np

from glioseg.register.back import label_maps_of_series
from glioseg.register.facts import Series, series_facts
from glioseg.synthesize.series import draw_movement
from glioseg.volumes.forms import forms_of
from glioseg.volumes.nifti import nifti_of

FINE = np.diag([-1.0, -1, 1, 1])


def test_each_series_gets_its_labels_on_its_own_grid():
    distance = np.linalg.norm(np.indices((60, 64, 56)).T - np.array([30.3, 32, 27.6]), axis=-1).T
    labels = (distance < 18).astype(np.uint8)
    movement = draw_movement(np.random.default_rng(4), np.array([-30.0, -32, 27]))
    forms = forms_of(nifti_of(labels, FINE).header)
    turned = np.array([[0, 0, 1.0, -75], [-1, 0, 0, 10], [0, 1, 0, -10], [0, 0, 0, 1]])
    series = {
        "t1": series_facts(Series(labels, FINE, forms), np.eye(4)),
        "t2": series_facts(Series(np.zeros((70, 72, 74), np.int16), turned, forms), movement),
        "seg": series_facts(Series(labels, FINE, forms), np.eye(4)),
    }
    found = label_maps_of_series(labels, FINE, {"series": series})
    assert list(found) == ["t1", "t2"]
    assert np.array_equal(found["t1"][0], labels) and found["t1"][2] == forms
    there, affine, _ = found["t2"]
    assert there.shape == (70, 72, 74) and np.array_equal(affine, turned)
    # The middle of the tumor moved as the head did.
    centers = []
    for one, placed in ((labels, FINE), (there, turned)):
        centers.append(placed[:3, :3] @ np.argwhere(one > 0).mean(0) + placed[:3, 3])
    assert np.allclose(movement[:3, :3] @ centers[0] + movement[:3, 3], centers[1], atol=0.1)
    assert abs((there > 0).sum() / (labels > 0).sum() - 1) < 0.02
