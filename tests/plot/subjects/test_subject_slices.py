"""Figures of a subject show its classes and contours in their colors."""

import numpy as np
import pytest
from pictures import pixels, share, words

from glioseg.colors import REGION_COLORS, TISSUES
from glioseg.plot.style import COMMON, save
from glioseg.plot.subjects import slices, subject_slices
from glioseg.plot.subjects.slices import PLANES


def test_contours_of_truth_are_darker_than_those_of_the_prediction(volumes, tmp_path):
    image, brain, classes = volumes
    for kind, truth, prediction in (("truth", classes, None), ("prediction", None, classes)):
        save(
            subject_slices.planes({"t1": image}, brain, np.ones(3), truth, prediction, "", list(PLANES)),
            tmp_path / f"{kind}.png",
        )
    dark = "#{:02x}{:02x}{:02x}".format(*(int(255 * part) for part in slices.line_color(TISSUES["edema"], "truth")))
    assert share(pixels(tmp_path / "truth.png"), dark) > 4 * share(pixels(tmp_path / "prediction.png"), dark)


@pytest.mark.parametrize(("index", "tissue"), [(4, "cavity"), (5, "cyst")])
def test_an_uncommon_class_is_shown_where_it_was_found(volumes, tmp_path, index, tissue):
    image, brain, classes = volumes
    assert words(subject_slices.modalities({"flair": image}, brain, np.ones(3), classes)) == list(COMMON)
    classes[14:18, 9:15, 8:13] = index
    figure = subject_slices.modalities({"flair": image}, brain, np.ones(3), classes)
    assert words(figure) == [*COMMON, tissue]
    save(figure, tmp_path / "modalities.png")
    assert share(pixels(tmp_path / "modalities.png")[:-40], TISSUES[tissue]) > 1e-3
    bars = subject_slices.sample({"flair": image}, brain, np.ones(3), classes).axes[-1]
    assert [label.get_text() for label in bars.get_yticklabels()] == [*COMMON, tissue]
    assert [bar.get_width() > 0 for bar in bars.patches] == [True] * 4


def test_a_cavity_has_a_contour_if_truth_or_prediction_contains_one(volumes, tmp_path):
    image, brain, classes = volumes
    images = {"flair": image, "t1ce": image}
    predicted = classes.copy()
    predicted[14:18, 9:15, 8:13] = 4
    figure = subject_slices.planes(images, brain, np.ones(3), classes, predicted, "", list(PLANES))
    regions = ["whole tumor", "tumor core", "enhancing tumor", "resection cavity"]
    assert words(figure) == [*regions, "truth", "prediction"]
    save(figure, tmp_path / "planes.png")
    assert share(pixels(tmp_path / "planes.png")[:-40], REGION_COLORS["RC"]) > 2e-4
    figure = subject_slices.planes(images, brain, np.ones(3), classes, classes, "", list(PLANES))
    assert words(figure) == [*regions[:3], "truth", "prediction"]
