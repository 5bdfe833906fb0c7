"""Check the ranking of the BraTS challenges against ranks and p values found by hand and by enumeration."""

from itertools import product

import numpy as np
import pytest
from evaluations import subjects
from scipy.stats import permutation_test

from glioseg.evaluate.parts.ranking import RANKING_COLUMNS, chance_of_gain, rank_runs, ranked_scores, ranking_table
from glioseg.evaluate.region_pair import ABSENT_HD95_MM

CELLS = list(product(("WT", "TC", "ET"), ("dice", "hd95_mm")))


def scored(dice, hd95_mm):
    """The scores of a subject: of WT, TC and ET."""
    return {(region, name): value for name, values in (("dice", dice), ("hd95_mm", hd95_mm))
            for region, value in zip(("WT", "TC", "ET"), values, strict=True)}  # fmt: skip


def random_runs(seed, count):
    """Three runs, whose scores are often equal."""
    random = np.random.default_rng(seed)
    return {
        name: {f"s{number}": scored(*random.integers(0, 4, (2, 3)) / 4) for number in range(count)} for name in "ABC"
    }


def test_ranks_of_three_runs_by_hand():
    runs = {
        "A": {"s": scored((0.9, 0.8, 0.7), (2, 3, 4))},
        "B": {"s": scored((0.9, 0.7, 0.7), (1, 3, ABSENT_HD95_MM))},
        "C": {"s": scored((0.5, 0.9, 0.8), (9, 3, 4))},
    }
    rows = rank_runs(runs)
    assert all(set(RANKING_COLUMNS) <= set(row) for row in rows)
    # Of each column, Dice first: WT 1.5 1.5 3, TC 2 3 1, ET 2.5 2.5 1; WT 2 1 3, TC 2 2 2, ET 1.5 3 1.5.
    found = {row["run"]: row["mean_rank"] for row in rows}
    assert found == pytest.approx({"A": 11.5 / 6, "C": 11.5 / 6, "B": 13 / 6})
    assert list(found) == ["A", "C", "B"]
    assert {row["run"]: row["best_percent"] for row in rows} == pytest.approx({"A": 0, "B": 100 / 6, "C": 200 / 6})
    first = rows[0]
    assert (first["n"], first["regions"], first["dice"], first["hd95_mm"]) == (1, "WT TC ET", pytest.approx(0.8), 3)
    assert first["p"] == {"C": 1, "B": 0.5} and first["p_next"] == 1
    assert rows[-1]["p"] == {} and rows[-1]["p_next"] is None


def test_p_by_hand():
    # The sums of 3, 2 and 1 with any signs are 6, 4, 2, 0, 0, -2, -4 and -6; two of them are 4 or more.
    assert chance_of_gain([3, 2, -1], "abc") == 2 / 8
    assert chance_of_gain([3, 2, 1, 0], "abcd") == 1 / 8
    # The visits of a patient are swapped together.
    assert chance_of_gain([3, 2, -1], "aba") == 1 / 4
    assert chance_of_gain([0, 0], "ab") == 1


@pytest.mark.parametrize("count", [3, 4, 10])
def test_p_is_that_of_all_ways_to_swap_two_runs(count):
    runs = random_runs(count, count)
    rows = rank_runs(runs)
    cumulative = {name: np.zeros(count) for name in runs}
    for number, cell in product(range(count), CELLS):
        values = {name: run[f"s{number}"][cell] * (-1 if cell[1] == "dice" else 1) for name, run in runs.items()}
        for name, value in values.items():
            lower = sum(other < value for other in values.values())
            cumulative[name][number] += lower + (sum(other == value for other in values.values()) + 1) / 2
    assert {row["run"]: row["mean_rank"] for row in rows} == pytest.approx(
        {name: ranks.mean() / 6 for name, ranks in cumulative.items()}
    )
    assert [row["mean_rank"] for row in rows] == sorted(row["mean_rank"] for row in rows)
    for row in rows:
        for other, p in row["p"].items():
            gains = cumulative[other] - cumulative[row["run"]]
            sums = [np.dot(signs, gains) for signs in product((1, -1), repeat=count)]
            assert p == np.mean(np.greater_equal(sums, gains.sum()))


def test_p_is_that_of_100_000_random_permutations():
    gains = np.random.default_rng(1).integers(-8, 11, 60)
    drawn = permutation_test(
        (gains,), np.sum, permutation_type="samples", n_resamples=100_000, alternative="greater", batch=1000, rng=1
    )
    assert 0.001 < drawn.pvalue < 0.5
    assert chance_of_gain(gains, range(60)) == pytest.approx(drawn.pvalue, abs=0.005)


def test_scores_that_not_all_runs_have_are_not_ranked():
    network, baseline = subjects({"a": 0.5, "b": 0.6}), subjects({"a": 0.4, "b": 0.7}, "FLAIR threshold")
    baseline = [row for row in baseline if (row["region"], row["metric"]) == ("WT", "dice")]
    runs = {
        "A": ranked_scores(network + baseline, "network"),
        "B": ranked_scores(network + baseline, "FLAIR threshold"),
    }
    assert list(runs["A"]["a"]) == [(region, metric) for region in ("WT", "TC", "ET") for metric in ("dice", "hd95_mm")]
    rows = rank_runs(runs)
    assert [(row["mean_rank"], row["regions"], row["hd95_mm"]) for row in rows] == [(1.5, "WT", None)] * 2
    words = ranking_table(rows, {"A": ("results", "network"), "B": ("results", "FLAIR threshold")})
    assert "B: results, FLAIR threshold" in words and "A: results " in words


def test_runs_that_cannot_be_ranked_are_refused():
    one, other = {"a": scored((1, 1, 1), (0, 0, 0))}, {"b": scored((1, 1, 1), (0, 0, 0))}
    with pytest.raises(
        ValueError, match=r"the runs have no subject in common \(A: 1, B: 1\); use runs of the same data"
    ):
        rank_runs({"A": one, "B": other})
    with pytest.raises(ValueError, match="A, B: expected runs that share a score of WT, TC or ET, found none"):
        rank_runs({"A": one, "B": {"a": {}}})
    less = {"b": {name: value for name, value in other["b"].items() if name != ("ET", "dice")}}
    with pytest.raises(ValueError, match="b: expected dice of ET in B, found none; evaluate it again"):
        rank_runs({"A": one | other, "B": one | less})
