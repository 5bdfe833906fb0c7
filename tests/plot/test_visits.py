"""The figure of visits shows how the volumes of a patient change."""

import numpy as np

from glioseg.colors import NETWORK_COLOR
from glioseg.files import write_table
from glioseg.plot.figures import FIGURES, Contents, draw_of
from glioseg.plot.visits import NAMED

COLUMNS = ("subject", "patient", "WT_ml", "TC_ml", "ET_ml")


def table_of(folder, *rows):
    write_table(folder / "volumes.tsv", COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    return [folder / "volumes.tsv"]


def test_a_line_per_patient_with_several_visits(tmp_path):
    rows = [("a_2", "a", 30, 20, 0), ("a_1", "a", 10, 5, 1), ("b_1", "b", 7, 7, 7), ("c_1", "c", 4, 3, 2)]
    figure = draw_of("visits")(table_of(tmp_path, *rows, ("c_2", "c", 5, 3, 2)))
    whole, core, enhancing = figure.axes
    assert [line.get_ydata().tolist() for line in whole.lines] == [[4, 5], [10, 30]], "the largest change on top"
    assert [line.get_ydata().tolist() for line in enhancing.lines] == [[2, 2], [1, 0]]
    assert core.lines[1].get_xdata().tolist() == [1, 2] and core.lines[1].get_color() == NETWORK_COLOR
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "c"]


def test_without_several_visits_the_figure_says_so(tmp_path):
    figure = draw_of("visits")(table_of(tmp_path, ("b_1", "b", 7, 7, 7)))
    assert figure.texts[0].get_text() == "No patient has segmentations of several visits."


def test_many_patients_are_grey_lines_below_the_named_ones(tmp_path):
    rows = [(f"p{one}_{visit}", f"p{one}", 10 + one * visit, 1, 1) for one in range(20) for visit in (1, 2, 3)]
    figure = draw_of("visits")(table_of(tmp_path, *rows))
    assert len(figure.axes[0].lines) == 20
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["p19", "p18"]
    assert len({(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}) == NAMED + 1
    assert np.allclose(figure.axes[0].lines[-1].get_ydata(), [29, 48, 67])


def test_only_studies_with_visits_have_the_figure():
    assert FIGURES["visits"].wanted(Contents({}, ["a", "b", "a"], True))
    assert not FIGURES["visits"].wanted(Contents({}, ["a", "b"], True))
