"""Compare summary statistics with results calculated by hand."""

import math

import numpy as np
import pytest
from evaluations import EVALUATIONS, FOLDS, baseline, evaluation, pick

from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.score_table import score_table
from glioseg.evaluate.summary import (
    PRESENT_COLUMNS,
    SCORE_COLUMNS,
    SUBJECT_COLUMNS,
    bootstrap_interval,
    subject_rows,
    summarize_scores,
)


def test_subject_rows_are_tidy() -> None:
    rows = subject_rows(EVALUATIONS[:2], baseline("a", 0.5), FOLDS)
    assert len(rows) == 2 * 3 * (len(METRICS) + 2) + 3
    assert all(tuple(row) == SUBJECT_COLUMNS for row in rows)
    assert tuple(rows[0].values()) == ("network", "a", "a", "test", "WT", "dice", 0.9)
    assert tuple(rows[-1].values()) == ("FLAIR threshold", "a", "a", "test", "ET", "dice", 0.5)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("stranger", "found no such subject"),
        ("seen", "found the fold 'train'"),
        ("unlabelled", "found the fold 'new'"),
        ("broken", "found the fold ''"),
    ],
)
def test_subjects_that_are_not_held_out_are_rejected(subject: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{subject}: .*{words}"):
        subject_rows([evaluation(subject, (1, 1, 1))], [], FOLDS)
    with pytest.raises(ValueError, match=f"^{subject}: .*{words}"):
        subject_rows([], baseline(subject, 1), FOLDS)


def test_a_subject_given_twice_is_rejected() -> None:
    with pytest.raises(ValueError, match="a: dice of WT by network is given twice"):
        subject_rows([EVALUATIONS[0], EVALUATIONS[0]], [], FOLDS)


def test_a_subject_without_a_region_of_its_method_is_rejected() -> None:
    rows = subject_rows([], [*baseline("a", 0.5)[:2], *baseline("b", 0.5)], FOLDS)
    with pytest.raises(ValueError, match="a: expected dice of WT, TC, ET by FLAIR threshold, found only WT, TC"):
        summarize_scores(rows, 10, 0)


def test_a_method_may_have_one_region_only() -> None:
    rows = subject_rows(EVALUATIONS, [*baseline("a", 0.5)[:1], *baseline("b", 0.25)[:1]], FOLDS)
    scores = summarize_scores(rows, 10, 0)
    assert pick(scores, method="FLAIR threshold", metric="dice")["mean"] == 0.375
    assert "\N{EN DASH}" in next(line for line in score_table(scores).splitlines() if line.startswith("FLAIR"))


def test_statistics_by_hand() -> None:
    scores = summarize_scores(subject_rows(EVALUATIONS, baseline("b", 0.25), FOLDS), 200, 42)
    # Values 0.1, 0.6, 0.8, 0.9: quartiles at ranks 0.75, 1.5, 2.25.
    row = pick(scores, method="network", region="WT", metric="dice")
    assert tuple(row) == (*SCORE_COLUMNS, *PRESENT_COLUMNS)
    expected = {"n": 4, "mean": 0.6, "median": 0.7, "q1": 0.475, "q3": 0.825}
    assert {key: row[key] for key in expected} == pytest.approx(expected)
    assert 0.1 <= row["ci_low"] < 0.6 < row["ci_high"] <= 0.9
    # The subjects' means over their regions are 0.6, 0.8, 0.3 and 0.1.
    row = pick(scores, method="network", region="mean", metric="dice")
    assert (row["mean"], row["median"]) == pytest.approx((0.45, 0.45))
    assert len(scores) == 4 * len(METRICS) + 4
    row = pick(scores, method="FLAIR threshold", region="mean", metric="dice")
    assert (row["n"], row["mean"], row["q1"], row["q3"]) == (1, 0.25, 0.25, 0.25)
    assert math.isnan(row["ci_low"]) and math.isnan(row["ci_high"])


def test_a_region_of_some_data_sets_is_summarized_over_their_subjects() -> None:
    operated = [evaluation("c", (0.6, 0.3, 0.0)), evaluation("d", (0.1, 0.1, 0.1))]
    for scores, dice in zip(operated, (0.5, 1.0), strict=True):
        scores["regions"]["RC"] = {**scores["regions"]["ET"], "dice": dice}
    scores = summarize_scores(subject_rows([*EVALUATIONS[:2], *operated], [], FOLDS), 50, 42)
    row = pick(scores, method="network", region="RC", metric="dice")
    assert (row["n"], row["mean"], row["median"]) == (2, 0.75, 0.75)
    # It does not change the mean of a subject either.
    without = summarize_scores(subject_rows(EVALUATIONS, [], FOLDS), 50, 42)
    assert [row for row in scores if row["region"] != "RC"] == without
    header, _, line, _ = score_table(scores).splitlines()
    assert header.split() == ["Dice", "subjects", "WT", "TC", "ET", "mean", "RC"]
    assert line.startswith("network  4 ") and line.endswith("0.750 [0.500, 1.000] (n = 2)")


def test_absent_regions_are_left_out_or_scored_as_in_2020() -> None:
    evaluations = [evaluation("a", (0.9, 0.6, 1.0)), evaluation("b", (0.8, 0.6, 0.0)), evaluation("c", (0.0, 0.0, 0.0))]
    for scores, regions in zip(evaluations, (["ET"], [], ["WT", "TC", "ET"]), strict=True):
        for region in regions:
            scores["regions"][region]["truth_ml"] = 0.0
    known = [{"method": "threshold", "subject": name, "region": "ET", "dice": "0.25"} for name in "ab"]
    scores = summarize_scores(subject_rows(evaluations, known, FOLDS), 50, 42)
    row = pick(scores, method="network", region="ET", metric="dice")
    assert (row["n"], row["mean"], row["present_n"], row["present_mean"]) == (3, pytest.approx(1 / 3), 1, 0)
    row = pick(scores, method="network", region="WT", metric="dice")
    assert (row["n"], row["present_n"], row["present_median"]) == (3, 2, pytest.approx(0.85))
    # The mean of a is over WT and TC, that of b over all three regions; c has none.
    row = pick(scores, method="network", region="mean", metric="dice")
    assert (row["present_n"], row["present_mean"]) == (2, pytest.approx((0.75 + 1.4 / 3) / 2))
    # The true volumes come from the network's rows.
    row = pick(scores, method="threshold", region="ET", metric="dice")
    assert (row["n"], row["present_n"]) == (2, 1)


def test_a_region_that_no_subject_has_gives_no_number() -> None:
    scored = evaluation("a", (1.0, 1.0, 1.0))
    scored["regions"]["ET"]["truth_ml"] = 0.0
    row = pick(summarize_scores(subject_rows([scored], [], FOLDS), 5, 1), region="ET", metric="dice")
    assert row["mean"] == 1 and row["present_n"] == 0 and math.isnan(row["present_mean"])


def test_tissue_classes_are_summarized_but_not_part_of_the_mean() -> None:
    scored = [{**scores, "classes": {"edema": {"dice": 0.25, "truth_ml": 1.0}}} for scores in EVALUATIONS[:2]]
    scores = summarize_scores(subject_rows(scored, [], FOLDS), 50, 42)
    assert pick(scores, region="edema", metric="dice")["mean"] == 0.25
    without = summarize_scores(subject_rows(EVALUATIONS[:2], [], FOLDS), 50, 42)
    assert [row for row in scores if row["region"] != "edema"] == without
    assert "edema" not in score_table(scores)


def test_bootstrap_of_two_values_by_hand() -> None:
    # The mean of two draws from 0 and 1 is 0, 1/2 or 1 with probability 1/4, 1/2 or 1/4.
    assert bootstrap_interval(np.array([0.0, 1.0]), 2000, 1) == (0, 1)


def test_bootstrap_agrees_with_the_normal_interval_where_it_should() -> None:
    values = np.random.default_rng(3).normal(0.8, 0.1, 400)
    half = 1.96 * values.std() / math.sqrt(len(values))
    expected = (values.mean() - half, values.mean() + half)
    assert bootstrap_interval(values, 4000, 5) == pytest.approx(expected, abs=0.1 * half)


def test_bootstrap_is_seeded() -> None:
    values = np.linspace(0, 1, 9) ** 2
    assert bootstrap_interval(values, 100, 7) == bootstrap_interval(values, 100, 7)
    assert bootstrap_interval(values, 100, 7) != bootstrap_interval(values, 100, 8)
    # Two methods are compared on the same resamples: a constant difference stays constant.
    low, high = bootstrap_interval(values, 100, 7)
    assert bootstrap_interval(values + 1, 100, 7) == pytest.approx((low + 1, high + 1))


def test_order_of_subjects_changes_nothing() -> None:
    forward = summarize_scores(subject_rows(EVALUATIONS, [], FOLDS), 50, 42)
    assert forward == summarize_scores(subject_rows(EVALUATIONS[::-1], [], FOLDS), 50, 42)


def test_bootstrap_draws_patients_with_all_their_visits() -> None:
    # Of two patients, one with three visits of 0 and one with a visit of 1: all of one, all of the other, or both.
    assert bootstrap_interval(np.array([0.0, 0, 1, 0]), 2000, 1, ["a", "a", "b", "a"]) == (0, 1)
    draws = np.random.default_rng(5).integers(2, size=(3, 2))
    means = [np.mean([value for draw in row for value in ([0, 0, 0], [1])[draw]]) for row in draws]
    expected = tuple(np.percentile(means, [2.5, 97.5]))
    assert bootstrap_interval(np.array([0.0, 0, 1, 0]), 3, 5, ["a", "a", "b", "a"]) == pytest.approx(expected)
    # An interval is wider if the same values are two visits each of half as many patients.
    values = np.repeat(np.random.default_rng(3).normal(0.8, 0.1, 50), 2)
    patients = [str(number // 2) for number in range(100)]
    wide, narrow = bootstrap_interval(values, 500, 1, patients), bootstrap_interval(values, 500, 1)
    assert wide[1] - wide[0] > 1.2 * (narrow[1] - narrow[0])
    assert all(map(math.isnan, bootstrap_interval(values, 500, 1, ["one"] * 100)))


def test_intervals_of_patients_with_one_scan_are_those_of_earlier_versions() -> None:
    values = np.random.default_rng(3).normal(0.8, 0.1, 37)
    drawn = np.random.default_rng(7).integers(37, size=(200, 37))
    before = tuple(np.percentile(values[drawn].mean(axis=1), [2.5, 97.5]))
    patients = [str(99 - number) for number in range(37)]
    assert bootstrap_interval(values, 200, 7, patients) == bootstrap_interval(values, 200, 7) == before


def test_patients_are_counted_and_resampled_in_the_summary() -> None:
    visits = {"a": "p", "b": "p", "c": "p", "d": "q"}
    scores = summarize_scores(subject_rows(EVALUATIONS, [], FOLDS, visits), 200, 42)
    row = pick(scores, region="WT", metric="dice")
    assert (row["n"], row["patients"], row["mean"]) == (4, 2, pytest.approx(0.6))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((0.1, 2.3 / 3))
