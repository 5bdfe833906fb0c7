"""The figure of calibration is drawn from its table and shown in the report."""

import pytest
from click.testing import CliRunner
from examples import PROBABILITIES, TRUTH
from reports import make, written

import plot
from glioseg.evaluate.calibration import EDGES, WRITTEN, bins_of, calibration, calibration_rows
from glioseg.files import write_table
from glioseg.labels import REGIONS
from glioseg.plot.calibration import calibration as draw
from glioseg.plot.figures import draw_of


def test_table_figure_and_report_agree(tmp_path):
    bins = {"WT": calibration(PROBABILITIES, TRUTH)}
    evaluations = [{"subject": name, "calibration": bins, "uncalibrated": {}} for name in ("good", "bad")]
    rows = [{name: str(value) for name, value in row.items()} for row in calibration_rows(evaluations)]
    assert len(rows) == 2 * (len(EDGES) - 1) and rows[2]["low"] == "0.2"
    assert bins_of(rows, WRITTEN)["WT"]["bad"]["true"] == bins["WT"]["true"]
    write_table(tmp_path / "calibration.tsv", tuple(rows[0]), rows)
    (above, below) = draw_of("calibration")([tmp_path / "calibration.tsv"]).axes
    # The diagonal, a line per subject (empty: all bins have too few voxels), and the pooled line.
    assert [len(line.get_xdata()) for line in above.lines] == [2, 0, 0, 3]
    assert above.lines[-1].get_xydata().tolist() == [[0.25, 0.5], [0.75, 1], [1, 1]]
    assert "error 0.188" in above.texts[0].get_text() and "25.0 %" in above.texts[0].get_text()
    assert sum(bar.get_height() for bar in below.patches) == pytest.approx(100)
    assert "No probabilities were kept" in draw({}).texts[0].get_text()

    options = make(tmp_path, {"good": 0.9, "bad": 0.3})
    assert "Reliability diagram" not in written(options)
    words = ["--figure", "calibration", "--input", tmp_path / "calibration.tsv"]
    words += ["--output", tmp_path / "plots/calibration.png"]
    assert CliRunner().invoke(plot.plot, [str(word) for word in words]).exit_code == 0
    assert 'alt="Reliability diagram per region' in written(options)


def test_notes_leave_room_for_four_regions():
    bins = {"subject": calibration(PROBABILITIES, TRUTH)}
    figure = draw(dict.fromkeys(REGIONS, bins))
    figure.draw_without_rendering()
    panel = figure.axes[0]
    assert panel.texts[0].get_window_extent().x1 < figure.axes[1].get_window_extent().x0
    assert len(REGIONS) == 4 and panel.get_position().width > 0.15
