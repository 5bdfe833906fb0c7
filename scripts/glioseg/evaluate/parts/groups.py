"""Scores of groups of subjects, such as those of one site or of one grade."""

import math
import statistics
from collections.abc import Mapping, Sequence

from glioseg.evaluate.score_table import NETWORK
from glioseg.evaluate.summary import STATISTICS, summarize_scores

GROUP_COLUMNS = ("covariate", "group", "region", "metric", *STATISTICS)
# The mean of fewer subjects says little about their group.
SMALLEST_GROUP = 5
GROUP_METRICS = ("dice", "hd95_mm", "nsd_1mm")
# A numeric covariate with more values than this is split at its median.
MOST_GROUPS = 6
WORDS = {"labels": "label dialect", "tumor_ml": "true tumor volume, ml"}


def groups_of(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return group -> subjects from subject -> value of a covariate; {} unless two groups are large enough.

    A group has at least `SMALLEST_GROUP` subjects; smaller groups and missing values are left out. Numbers with more
    than `MOST_GROUPS` values are split at their median.
    """
    known = {subject: value for subject, value in values.items() if value}
    numbers = {subject: number for subject, value in known.items() if (number := _number(value)) is not None}
    if len(numbers) == len(known) and len(set(numbers.values())) > MOST_GROUPS:
        middle = statistics.median(numbers.values())
        known = {name: f"{'at most' if value <= middle else 'over'} {middle:g}" for name, value in numbers.items()}
    groups: dict[str, list[str]] = {}
    for subject, value in sorted(known.items(), key=_order):
        groups.setdefault(value, []).append(subject)
    large = {value: subjects for value, subjects in groups.items() if len(subjects) >= SMALLEST_GROUP}
    return large if len(large) > 1 else {}


def group_rows(
    tidy: Sequence[Mapping], cohort: Sequence[Mapping[str, str]], names: Sequence[str], resamples: int, seed: int
) -> list[dict]:
    """Return a row of `GROUP_COLUMNS` per covariate, group, region and metric of `GROUP_METRICS`, for the network.

    tidy: the `subject_rows`; cohort: rows of cohort.tsv; names: the covariates, which are columns of it, next to the
    label dialect and the true tumor volume. The statistics are those of `summarize_scores`.
    """
    scores = [row for row in tidy if row["method"] == NETWORK and row["metric"] in GROUP_METRICS]
    scored = {row["subject"] for row in scores}
    rows = []
    for name in ("labels", "tumor_ml", *names):
        groups = groups_of({row["subject"]: row[name] for row in cohort if row["subject"] in scored})
        for group, subjects in groups.items():
            inside = set(subjects)
            summary = summarize_scores([row for row in scores if row["subject"] in inside], resamples, seed)
            rows += [{**row, "covariate": WORDS.get(name, name), "group": group} for row in summary]
    return rows


def _order(item: tuple[str, str]) -> tuple:
    """Numbers in their order, then words."""
    number = _number(item[1])
    return (number is None, number or 0.0, item[1])


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
