"""Test the command `compare` on the tables of two small runs."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from evaluations import subjects

from compare import compare
from glioseg.evaluate.compare import COMPARISON_COLUMNS
from glioseg.evaluate.parts.ranking import RANKING_COLUMNS
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
    assert lines[0].split() == ["BraTS", "ranking", "mean", "rank", "best", "Dice", "HD95", "p", "vs", "B"]
    # A wins the Dice of b and c, B that of a; HD95 is the same everywhere.
    assert lines[2].split()[2:] == ["1.42", "33", "%", "0.611", "3.0", "0.5"] and lines[2].startswith("A: ")
    assert lines[3].split()[2:] == ["1.58", "17", "%", "0.556", "3.0"] and lines[3].startswith("B: ")
    assert lines[4] == "Mean rank over 3 subjects, WT, TC, ET and the metrics shown: 1 is best."
    header = ["Dice", "subjects", "A", "B", "B", "-", "A", "95", "%", "interval", "p", "worse"]
    assert lines[7].split() == header
    assert lines[9].startswith("WT    3         0.733  0.667  -0.067")
    assert "Worse by more than 0.05 in WT: c b" in lines
    assert "Left out of A, because not every run scored them: 1 (old)" in lines
    assert "Left out of B, because not every run scored them: 1 (new)" in lines
    rows = read_table(tmp_path / "out" / "comparison.tsv", COMPARISON_COLUMNS)
    assert rows[0]["worse"] == "c b" and float(rows[0]["difference"]) == pytest.approx(-0.2 / 3)


def test_several_runs_and_methods_are_ranked(tmp_path: Path) -> None:
    words = []
    for name, dice in (("a", 0.5), ("b", 0.7), ("c", 0.6)):
        rows = subjects({"x": dice, "y": dice}) + subjects({"x": 0.1, "y": 0.1}, "FLAIR threshold")
        write_table(tmp_path / name / "summarize" / "subjects.tsv", SUBJECT_COLUMNS, rows)
        words.append(str(tmp_path / name))
    ranking = tmp_path / "out" / "ranking.tsv"
    done = CliRunner().invoke(compare, [*words, "--ranking", str(ranking)])
    assert done.exit_code == 0, done.output
    rows = read_table(ranking, RANKING_COLUMNS)
    assert [row["run"] for row in rows] == ["B", "C", "A"]
    assert [float(row["mean_rank"]) for row in rows] == [1.5, 2, 2.5]
    assert [row["p_next"] for row in rows] == ["0.25", "0.25", ""]
    assert "B - A" in done.output and "C - A" in done.output
    methods = ("--method", "network", "--method", "FLAIR threshold")
    done = CliRunner().invoke(compare, [words[0], *methods])
    assert done.exit_code == 0 and f"B: {words[0]}, FLAIR threshold" in done.output, done.output
    done = CliRunner().invoke(compare, words[:1])
    assert done.exit_code == 1 and "Error: expected 2 to 26 runs to compare, found 1" in done.output


def test_runs_that_cannot_be_compared_are_rejected(tmp_path: Path) -> None:
    result = run(tmp_path, subjects({"a": 0.5}), subjects({"b": 0.5}))
    assert result.exit_code == 1 and "no subject in common" in result.output
    result = run(tmp_path, subjects({"a": 0.5}), subjects({"a": 0.5}, "FLAIR threshold"))
    assert result.exit_code == 1 and "expected Dice by 'network', found scores by FLAIR threshold" in result.output
    result = run(tmp_path, subjects({"a": 0.5}), [])
    assert result.exit_code == 1 and "subjects.tsv: expected Dice by 'network'" in result.output
    assert run(tmp_path, *[subjects({"a": 0.5}, "FLAIR threshold")] * 2, "--method", "FLAIR threshold").exit_code == 0
