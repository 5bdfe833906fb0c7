"""Figures of a subject show its classes and contours in their colors."""

import numpy as np
import pytest
from pictures import pixels, share, words

from glioseg.colors import REGION_COLORS, TISSUES
from glioseg.plot.style import COMMON, save
from glioseg.plot.subjects import subject_slices
from glioseg.plot.subjects.slices import PLANES


def test_the_truth_is_dashed_and_the_prediction_solid(volumes):
    image, brain, classes = volumes
    dashed = {}
    for kind, truth, prediction in (("truth", classes, None), ("prediction", None, classes)):
        figure = subject_slices.planes({"t1": image}, brain, np.ones(3), truth, prediction, "", list(PLANES))
        lines = [line for axis in figure.axes for line in axis.collections]
        dashed[kind] = {dashes is not None for line in lines for _, dashes in line.get_linestyles()}
        assert len(lines) == 9
        key = next(handle for handle in figure.legends[0].legend_handles if handle.get_label() == kind)
        assert (key.get_linestyle() == "--") == (kind == "truth")
    assert dashed == {"truth": {True}, "prediction": {False}}


def test_every_plane_has_its_sides_and_a_scale_bar(volumes):
    image, brain, classes = volumes
    figure = subject_slices.planes({"t1": image}, brain, np.ones(3), classes, classes, "", list(PLANES))
    words_of = [{text.get_text() for text in axis.texts} - {"t1"} for axis in figure.axes]
    assert words_of == [{*"RLAP", "20 mm"}, {*"RLSI", "20 mm"}, {*"APSI", "20 mm"}]


def test_the_network_input_is_shown_in_another_plane_and_its_shares_are_named(volumes):
    image, brain, classes = volumes
    first = subject_slices.modalities({"t1": image}, brain, np.ones(3), classes).axes[0]
    figure = subject_slices.sample({"t1": image}, brain, np.ones(3), classes)
    sides = [{text.get_text() for text in axis.texts} & {*"APSI"} for axis in (first, figure.axes[0])]
    assert sides == [{*"AP"}, {*"SI"}]
    assert "bars: share of the brain" in figure.texts[-1].get_text()


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
