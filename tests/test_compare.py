"""The comparison of two runs against answers worked out by hand, and the command `compare`."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from compare import compare
from glioseg.evaluate.compare import COMPARISON_COLUMNS, compare_dice, dice_of
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table, write_table

NAMES = "abcdef"


def subjects(dice: dict[str, float], method: str = "network") -> list[dict]:
    """Rows of subjects.tsv: this Dice of WT and TC, half of it of ET, and scores that are not compared."""
    rows = []
    for name, value in dice.items():
        for region, score in (("WT", value), ("TC", value), ("ET", value / 2), ("edema", 0.1)):
            rows.append((method, name, "0", region, "dice", score))
            rows.append((method, name, "0", region, "hd95_mm", 3.0))
    return [dict(zip(SUBJECT_COLUMNS, row, strict=True)) for row in rows]


def run(folder: Path, a: list[dict], b: list[dict], *options: str) -> Result:
    for name, rows in (("a", a), ("b", b)):
        write_table(folder / name / "summarize" / "subjects.tsv", SUBJECT_COLUMNS, rows)
    return CliRunner().invoke(compare, [str(folder / "a"), str(folder / "b" / "summarize" / "subjects.tsv"), *options])


def test_differences_by_hand() -> None:
    a = dice_of(subjects(dict.fromkeys(NAMES, 0.5)), "network")
    b = dice_of(subjects(dict(zip(NAMES, (0.58, 0.61, 0.62, 0.63, 0.64, 0.4), strict=True))), "network")
    rows = compare_dice(a, b, 500, 1)
    assert [row["region"] for row in rows] == ["WT", "TC", "ET", "mean"] and tuple(rows[0]) == COMPARISON_COLUMNS
    whole, _, enhancing, mean = rows
    expected = {"n": 6, "mean_a": 0.5, "mean_b": 3.48 / 6, "difference": 0.08, "worse": "f", "n_worse": 1}
    assert {name: whole[name] for name in expected} == pytest.approx(expected)
    assert -0.1 <= whole["ci_low"] < whole["difference"] < whole["ci_high"] <= 0.14
    # f's loss has rank 2. Of the 64 ways to sign six ranks, three have losses of no more: none, 1 and 2.
    assert whole["p"] == pytest.approx(2 * 3 / 64)
    # Half the loss is no more than the limit.
    assert enhancing["worse"] == "" and mean["difference"] == pytest.approx(0.08 * 5 / 6)


def test_exact_p_of_six_gains() -> None:
    a, b = (dict(zip(NAMES, values, strict=True)) for values in ([0.5] * 6, [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]))
    (row,) = compare_dice(*({name: {"WT": dice} for name, dice in run.items()} for run in (a, b)), 10, 1)
    assert row["p"] == pytest.approx(2 / 2**6)


def test_a_run_is_no_worse_than_itself() -> None:
    scores = dice_of(subjects({"a": 0.5, "b": 0.7}), "network")
    for row in compare_dice(scores, scores, 100, 1):
        assert (row["difference"], row["ci_low"], row["ci_high"], row["p"], row["n_worse"]) == (0, 0, 0, 1, 0)


def test_the_table_is_printed_and_written(tmp_path: Path) -> None:
    a, b = subjects({"a": 0.5, "b": 0.9, "c": 0.8, "gone": 0.1}), subjects({"a": 0.7, "b": 0.8, "c": 0.5, "new": 0.2})
    result = run(tmp_path, a, b, "--output", str(tmp_path / "out" / "comparison.tsv"))
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].split() == ["Dice", "subjects", "A", "B", "B", "-", "A", "95", "%", "interval", "p", "worse"]
    assert lines[2].startswith("WT    3         0.733  0.667  -0.067")
    assert "Worse by more than 0.05 in WT: c b" in lines
    assert "only A scored them: 1 (gone" in result.output and "only B scored them: 1 (new" in result.output
    rows = read_table(tmp_path / "out" / "comparison.tsv", COMPARISON_COLUMNS)
    assert rows[0]["worse"] == "c b" and float(rows[0]["difference"]) == pytest.approx(-0.2 / 3)


def test_runs_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    result = run(tmp_path, subjects({"a": 0.5}), subjects({"b": 0.5}))
    assert result.exit_code == 1 and "no subject in common" in result.output
    result = run(tmp_path, subjects({"a": 0.5}), subjects({"a": 0.5}, "FLAIR threshold"))
    assert result.exit_code == 1 and "expected Dice by 'network', found scores by FLAIR threshold" in result.output
    result = run(tmp_path, subjects({"a": 0.5}), [])
    assert result.exit_code == 1 and "subjects.tsv: expected Dice by 'network'" in result.output
    assert run(tmp_path, *[subjects({"a": 0.5}, "FLAIR threshold")] * 2, "--method", "FLAIR threshold").exit_code == 0
