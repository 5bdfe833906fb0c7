"""Rank runs as the BraTS challenges rank their teams (Bakas et al. 2018, arXiv:1811.02629).

This is the published algorithm and not the organizers' own program, PermRanker.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from glioseg.evaluate.compare import common_subjects
from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.score_table import DASH, NETWORK, aligned
from glioseg.labels import EVERYWHERE

# Metric -> what its values are multiplied with, so that a low value is best.
RANKED_BY = {"dice": -1, "hd95_mm": 1}
RANKING_COLUMNS = ("run", "n", "regions", "mean_rank", "best_percent", *RANKED_BY, "p_next")


def ranked_scores(rows: Iterable[Mapping], method: str) -> dict[str, dict[tuple[str, str], float]]:
    """Return subject -> (region, metric) -> score by a method, from the rows of subjects.tsv.

    The regions are WT, TC and ET, and the metrics those of `RANKED_BY`. A region that is absent from the truth or from
    the prediction has the scores of BraTS there (373.13 mm, or 0 mm if it is absent from both).
    """
    found: dict[str, dict[tuple[str, str], float]] = {}
    for row in rows:
        if row["method"] == method and row["metric"] in RANKED_BY and row["region"] in EVERYWHERE:
            found.setdefault(row["subject"], {})[row["region"], row["metric"]] = float(row["value"])
    return found


def rank_runs(
    runs: Mapping[str, Mapping[str, Mapping[tuple[str, str], float]]], patients: Mapping[str, str] | None = None
) -> list[dict]:
    """Return a row of `RANKING_COLUMNS` for each run, the best first, over the subjects that all runs scored.

    runs: name -> `ranked_scores`; patients: subject -> patient; without it, each subject is a patient of its own. For
    each subject, region and metric that all runs have, the runs are ranked: 1 is best, and equal scores share their
    mean rank. The mean of these ranks over regions and metrics is the cumulative rank of a subject, whose mean over
    subjects is mean_rank. best_percent is the share of the ranks in which a run is better than all others. Each row
    also has p: the name of a run further below -> `chance_of_gain` over it; p_next is that of the next run.

    Raises ValueError if the runs share no subject or no score, or naming a subject that lacks a score.
    """
    subjects = common_subjects(runs)
    cells = _shared_cells(runs, subjects)
    # Runs x subjects x cells.
    values = np.array([[[run[subject][cell] for cell in cells] for subject in subjects] for run in runs.values()])
    low_is_best = values * [RANKED_BY[metric] for _, metric in cells]
    ranks = rankdata(low_is_best, axis=0)
    # Runs that share the first place have the mean of their places, which is above 1.
    best = ranks == 1
    means = {metric: [place for place, cell in enumerate(cells) if cell[1] == metric] for metric in RANKED_BY}
    order = np.argsort(ranks.sum(axis=(1, 2)), kind="stable").tolist()
    # Twice a rank is a whole number, so that equal differences are equal.
    doubled = np.rint(2 * ranks.sum(axis=2)).astype(int)
    names, people = list(runs), [(patients or {}).get(name, name) for name in subjects]
    regions, rows = " ".join(dict.fromkeys(region for region, _ in cells)), []
    for place, at in enumerate(order):
        p = {names[other]: chance_of_gain(doubled[other] - doubled[at], people) for other in order[place + 1 :]}
        numbers = [float(values[at][:, columns].mean()) if columns else None for columns in means.values()]
        row = (names[at], len(subjects), regions, float(ranks[at].mean()), 100 * float(best[at].mean()), *numbers)
        rows.append(dict(zip(RANKING_COLUMNS, (*row, next(iter(p.values()), None)), strict=True)) | {"p": p})
    return rows


def _shared_cells(
    runs: Mapping[str, Mapping[str, Mapping[tuple[str, str], float]]], subjects: Sequence[str]
) -> list[tuple[str, str]]:
    """The pairs of region and metric that every run has; a baseline has fewer of them than a network."""
    cells = [(region, metric) for metric in RANKED_BY for region in EVERYWHERE]
    for run in runs.values():
        cells = [cell for cell in cells if any(cell in run[subject] for subject in subjects)]
    if not cells:
        raise ValueError(
            f"{', '.join(runs)}: expected runs that share a score of WT, TC or ET, found none; leave one out"
        )
    for (name, run), subject, (region, metric) in product(runs.items(), subjects, cells):
        if (region, metric) not in run[subject]:
            raise ValueError(f"{subject}: expected {metric} of {region} in {name}, found none; evaluate it again")
    return cells


def chance_of_gain(gains: Sequence[int], patients: Sequence[str]) -> float:
    """Return the p value of a permutation test: how often a random gain is at least as large as the observed one.

    gains: per subject, how much lower the cumulative rank of the better run is, as whole numbers; patients: the
    patient of each subject. Swapping the runs in a patient, with all visits, changes the sign of its gain. The test is
    one-sided, as that of BraTS, and exact: it counts all 2^n ways to swap n patients instead of drawing 100,000.
    """
    _, number = np.unique(list(patients), return_inverse=True)
    sums = np.rint(np.bincount(number, gains)).astype(int)
    # The gain is as large as the observed one if the patients that lose, lose together at most what was observed.
    losses = int(-sums[sums < 0].sum())
    chances = np.zeros(losses + 1)  # of each sum of losses
    chances[0] = 1
    for size in np.abs(sums).tolist():
        lost = np.zeros_like(chances)
        lost[size:] = chances[: max(len(chances) - size, 0)]
        chances = (chances + lost) / 2
    return float(chances.sum())


def ranking_table(rows: Sequence[Mapping], runs: Mapping[str, tuple[Path, str]]) -> str:
    """Return the rows of `rank_runs` as an aligned text table. runs: name -> results and method of a run."""
    others = [row["run"] for row in rows[1:]]
    lines = [("BraTS ranking", "mean rank", "best", "Dice", "HD95", *(f"p vs {name}" for name in others))]
    for row in rows:
        scores = [DASH if row[name] is None else f"{row[name]:.{METRICS[name].digits}f}" for name in RANKED_BY]
        chances = [f"{row['p'][name]:.3g}" if name in row["p"] else "" for name in others]
        results, method = runs[row["run"]]
        words = f"{row['run']}: {results}" + (f", {method}" if method != NETWORK else "")
        first = words, f"{row['mean_rank']:.2f}", f"{row['best_percent']:.0f} %"
        lines.append((*first, *scores, *chances))
    regions = rows[0]["regions"].replace(" ", ", ")
    said = (
        f"Mean rank over {rows[0]['n']} subjects, {regions} and the metrics shown: 1 is best.",
        "best: share of the ranks in which a run is first alone. p: permutation test, one-sided.",
    )
    return "\n".join([*aligned(lines), *said])
