"""Calibration: bins by hand, from a map of probabilities to the table, the figure and the report."""

import json

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from test_evaluate import labels, run, save
from test_report import make, written

import plot
from glioseg.evaluate.calibration import EDGES, bins_of, calibration, calibration_rows, expected_error, missed, pooled
from glioseg.files import write_table
from glioseg.plot.calibration import calibration as draw
from glioseg.plot.figures import draw_of

# Of six voxels: two taken for healthy (one of them true), two at 0.25 (one true), one at 0.75 and one at 1, both true.
PROBABILITIES = np.array([0, 0.005, 0.25, 0.25, 0.75, 1], np.float32).reshape(1, 2, 3)
TRUTH = np.array([0, 1, 0, 1, 1, 1], bool).reshape(1, 2, 3)


def test_bins_by_hand():
    bins = calibration(PROBABILITIES, TRUTH)
    assert bins["voxels"] == [2, 0, 2, 0, 0, 0, 0, 1, 0, 1]
    assert bins["true"] == [1, 0, 1, 0, 0, 0, 0, 1, 0, 1]
    assert bins["probability"] == pytest.approx([0.005, 0, 0.5, 0, 0, 0, 0, 0.75, 0, 1])
    # Four voxels outside the lowest bin: 0.5 is given where 1 is true, 0.75 where 1 is, 1 where 1 is.
    assert expected_error(bins) == pytest.approx((0.5 + 0.25 + 0) / 4)
    assert missed(bins) == 1 / 4


def test_an_edge_belongs_to_the_bin_above_and_one_to_the_last():
    bins = calibration(np.array(EDGES, float), np.ones(len(EDGES), bool))
    assert bins["voxels"] == [1] * (len(EDGES) - 2) + [2]


def test_probabilities_that_are_true_have_no_error_and_swapped_ones_a_large_one():
    random = np.random.default_rng(0)
    probabilities = random.uniform(0, 1, 200_000)
    truth = random.uniform(0, 1, 200_000) < probabilities
    assert expected_error(calibration(probabilities, truth)) < 0.01
    assert expected_error(calibration(1 - probabilities, truth)) > 0.4


def test_empty_cases_and_what_is_refused():
    nothing = pooled([])
    assert np.isnan(expected_error(nothing)) and missed(nothing) == 0
    bins = calibration(PROBABILITIES, TRUTH)
    assert pooled([bins, bins])["voxels"] == [2 * count for count in bins["voxels"]]
    with pytest.raises(ValueError, match=r"expected probabilities of the shape \(1, 2, 3\), found \(2, 3\)"):
        calibration(PROBABILITIES[0], TRUTH)
    for wrong in (255, np.nan):
        with pytest.raises(ValueError, match="expected probabilities from 0 to 1, found"):
            calibration(PROBABILITIES * wrong, TRUTH)


def test_evaluate_bins_a_map_on_the_grid_of_the_scan(tmp_path):
    mask = labels()
    truth, prediction = save(tmp_path / "t.nii.gz", mask), save(tmp_path / "p.nii.gz", mask)
    assert run(tmp_path, prediction, truth).exit_code == 0
    assert json.loads((tmp_path / "new/scores.json").read_text())["calibration"] == {}
    # Bytes with a scale, as they are kept: 191 of 255 in the tumor, 0 elsewhere.
    image = nib.Nifti1Image(((mask > 0) * 191).astype(np.uint8), nib.load(truth).affine)
    image.header.set_slope_inter(1 / 255, 0)
    nib.save(image, tmp_path / "WT.nii.gz")
    result = run(tmp_path, prediction, truth, more=["--probability", "WT", tmp_path / "WT.nii.gz"])
    assert result.exit_code == 0, result.output
    bins = json.loads((tmp_path / "new/scores.json").read_text())["calibration"]["WT"]
    tumor = int((mask > 0).sum())
    assert bins["true"] == [0] * 7 + [tumor] + [0] * 2 and bins["voxels"][0] == mask.size - tumor
    assert expected_error(bins) == pytest.approx(1 - 191 / 255, abs=1e-6)
    result = run(tmp_path, prediction, truth, more=["--probability", "WT", save(tmp_path / "x.nii.gz", mask[1:])])
    assert result.exit_code == 1
    assert "phantom_001: " in result.output and "predict this subject anew" in result.output


def test_table_figure_and_report_show_it(tmp_path):
    bins = {"WT": calibration(PROBABILITIES, TRUTH)}
    evaluations = [{"subject": name, "calibration": bins} for name in ("good", "bad")]
    rows = [{name: str(value) for name, value in row.items()} for row in calibration_rows(evaluations)]
    assert len(rows) == 2 * (len(EDGES) - 1) and rows[2]["low"] == "0.2"
    assert bins_of(rows)["WT"]["bad"]["true"] == bins["WT"]["true"]
    write_table(tmp_path / "calibration.tsv", tuple(rows[0]), rows)
    (above, below) = draw_of("calibration")([tmp_path / "calibration.tsv"]).axes
    # The diagonal, a line per subject without bins of so few voxels, and all together.
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
