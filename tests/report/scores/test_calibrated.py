"""The report shows the errors of probabilities before and after calibration."""

import json

import pytest
from examples import PROBABILITIES, TRUTH
from reports import make, written

from glioseg.evaluate.calibration import CALIBRATION_COLUMNS, brier, calibration, calibration_rows, expected_error
from glioseg.files import write_table
from glioseg.report.scores.calibrated import calibration_facts


def rows(before):
    bins = {"WT": calibration(PROBABILITIES, TRUTH)}
    sharp = {"WT": calibration(PROBABILITIES**2, TRUTH)} if before else {}
    found = calibration_rows([{"subject": "a", "calibration": bins, "uncalibrated": sharp}])
    return bins["WT"], sharp.get("WT"), found


def test_errors_before_and_after_and_temperatures():
    bins, _, table = rows(True)
    facts = calibration_facts(table, {"all": {"temperature": 1.5}, "0": {"smallest_component_ml": 1}})
    assert facts["temperatures"] == {"all": 1.5}
    assert facts["regions"]["WT"]["written"] == {"error": expected_error(bins), "brier": pytest.approx(brier(bins))}
    assert facts["regions"]["WT"]["before"]["brier"] == pytest.approx(((PROBABILITIES**2 - TRUTH) ** 2).mean())


def test_the_report_says_them(tmp_path):
    options = make(tmp_path, {"good": 0.9})
    assert "Calibration of the probabilities" not in written(options)
    write_table(tmp_path / "calibration.tsv", CALIBRATION_COLUMNS, rows(False)[2])
    assert "A temperature is chosen only in cross-validation" in written(options)
    write_table(tmp_path / "calibration.tsv", CALIBRATION_COLUMNS, rows(True)[2])
    (tmp_path / "all.json").write_text(json.dumps({"temperature": 1.5}))
    index = written(["--chosen", str(tmp_path / "all.json"), *options])
    assert "1.50 for test and new subjects" in index and "Brier score before" in index
