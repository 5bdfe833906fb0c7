"""Test the command `compare` on the tables of two small runs."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from evaluations import subjects

from compare import compare
from glioseg.evaluate.compare import COMPARISON_COLUMNS
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table, write_table


def run(folder: Path, a: list[dict], b: list[dict], *options: str) -> Result:
    for name, rows in (("a", a), ("b", b)):
        write_table(folder / name / "summarize" / "subjects.tsv", SUBJECT_COLUMNS, rows)
    return CliRunner().invoke(compare, [str(folder / "a"), str(folder / "b" / "summarize" / "subjects.tsv"), *options])


def test_the_table_is_printed_and_written(tmp_path: Path) -> None:
    a, b = subjects({"a": 0.5, "b": 0.9, "c": 0.8, "old": 0.1}), subjects({"a": 0.7, "b": 0.8, "c": 0.5, "new": 0.2})
    result = run(tmp_path, a, b, "--output", str(tmp_path / "out" / "comparison.tsv"))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].split() == ["Dice", "subjects", "A", "B", "B", "-", "A", "95", "%", "interval", "p", "worse"]
    assert lines[2].startswith("WT    3         0.733  0.667  -0.067")
    assert "Worse by more than 0.05 in WT: c b" in lines
    assert "only A scored them: 1 (old" in result.output and "only B scored them: 1 (new" in result.output
    rows = read_table(tmp_path / "out" / "comparison.tsv", COMPARISON_COLUMNS)
    assert rows[0]["worse"] == "c b" and float(rows[0]["difference"]) == pytest.approx(-0.2 / 3)


def test_runs_that_cannot_be_compared_are_rejected(tmp_path: Path) -> None:
    result = run(tmp_path, subjects({"a": 0.5}), subjects({"b": 0.5}))
    assert result.exit_code == 1 and "no subject in common" in result.output
    result = run(tmp_path, subjects({"a": 0.5}), subjects({"a": 0.5}, "FLAIR threshold"))
    assert result.exit_code == 1 and "expected Dice by 'network', found scores by FLAIR threshold" in result.output
    result = run(tmp_path, subjects({"a": 0.5}), [])
    assert result.exit_code == 1 and "subjects.tsv: expected Dice by 'network'" in result.output
    assert run(tmp_path, *[subjects({"a": 0.5}, "FLAIR threshold")] * 2, "--method", "FLAIR threshold").exit_code == 0
