"""Test that predicted classes return to the grid of the scan."""

import json

import numpy as np
import pytest
from studies import scan_of, tiny_subject, write_subject

from glioseg import labels
from glioseg.predict.restore import restore_classes


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1), (0.9, 1.2, 3.0)])
def test_classes_return_to_the_grid_of_the_scan(tmp_path, spacing):
    folder = write_subject(tmp_path, 4, affine=np.diag([*spacing, 1.0]))
    scan, arrays = scan_of(folder)
    assert scan["spacing_mm"] == pytest.approx(spacing)
    classes = labels.classes_of(["brats2020"])
    probabilities = np.eye(len(classes), dtype=np.float32)[arrays["mask"]]
    back = restore_classes(probabilities, json.loads(json.dumps(scan)), classes, "classes", {})
    truth = tiny_subject(4)[1]
    truth[truth == 4] = 3
    assert back.shape == truth.shape
    agreement = 2 * ((back > 0) & (truth > 0)).sum() / ((back > 0).sum() + (truth > 0).sum())
    assert agreement == 1 if spacing == (1, 1, 1) else agreement > 0.95
    assert (back == truth).mean() > 0.99
