"""Check the comparison of two runs against results calculated by hand."""

import pytest
from evaluations import subjects

from glioseg.evaluate.compare import COMPARISON_COLUMNS, compare_dice, dice_of, left_out, lettered

NAMES = "abcdef"


def test_differences_by_hand() -> None:
    a = dice_of(subjects(dict.fromkeys(NAMES, 0.5)), "network")
    b = dice_of(subjects(dict(zip(NAMES, (0.58, 0.61, 0.62, 0.63, 0.64, 0.4), strict=True))), "network")
    rows = compare_dice({"A": a, "B": b}, 500, 1)
    assert [row["region"] for row in rows] == ["WT", "TC", "ET", "mean"] and tuple(rows[0]) == COMPARISON_COLUMNS
    whole, _, enhancing, mean = rows
    expected = {"n": 6, "mean_a": 0.5, "mean_b": 3.48 / 6, "difference": 0.08, "worse": "f", "n_worse": 1}
    assert {name: whole[name] for name in expected} == pytest.approx(expected)
    assert -0.1 <= whole["ci_low"] < whole["difference"] < whole["ci_high"] <= 0.14
    # The loss of f has rank 2. Of the 64 ways to sign six ranks, three have a rank sum of losses up to 2: 0, 1 and 2.
    assert whole["p"] == pytest.approx(2 * 3 / 64)
    # In ET the loss is half as large, which does not exceed the limit.
    assert enhancing["worse"] == "" and mean["difference"] == pytest.approx(0.08 * 5 / 6)


def test_exact_p_of_six_gains() -> None:
    a, b = (dict(zip(NAMES, values, strict=True)) for values in ([0.5] * 6, [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]))
    runs = {letter: {name: {"WT": dice} for name, dice in run.items()} for letter, run in (("A", a), ("B", b))}
    (row,) = compare_dice(runs, 10, 1)
    assert row["p"] == pytest.approx(2 / 2**6)


def test_a_run_is_no_worse_than_itself() -> None:
    scores = dice_of(subjects({"a": 0.5, "b": 0.7}), "network")
    for row in compare_dice({"A": scores, "B": scores}, 100, 1):
        assert (row["difference"], row["ci_low"], row["ci_high"], row["p"], row["n_worse"]) == (0, 0, 0, 1, 0)


def test_each_run_is_compared_with_the_first_on_the_subjects_of_all() -> None:
    dice = {
        "A": {"a": 0.5, "b": 0.7, "old": 0.1},
        "B": {"a": 0.6, "b": 0.7, "old": 0.2},
        "C": {"a": 0.4, "b": 0.6, "new": 0},
    }
    runs = {name: dice_of(subjects(values), "network") for name, values in dice.items()}
    rows = [row for row in compare_dice(runs, 100, 1) if row["region"] == "WT"]
    assert [(row["run"], row["n"]) for row in rows] == [("B", 2), ("C", 2)]
    assert [row["difference"] for row in rows] == pytest.approx([0.05, -0.1])
    assert left_out(runs) == [
        f"Left out of {name}, because not every run scored them: 1 ({subject})"
        for name, subject in (("A", "old"), ("B", "old"), ("C", "new"))
    ]


def test_runs_have_letters() -> None:
    assert lettered(["one", "two"]) == {"A": "one", "B": "two"}
    for count in (1, 27):
        with pytest.raises(ValueError, match=f"expected 2 to 26 runs to compare, found {count}; give the results"):
            lettered(["run"] * count)
