"""What the report's tables hold: rows of a run's own tables, counted, sorted and brought together."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence

from glioseg.evaluate.score_table import NETWORK, TABLE_ORDER
from glioseg.labels import EVERYWHERE, REGION_NAMES
from glioseg.preprocess.findings import CHECKS
from glioseg.split.cohort import COLUMNS
from glioseg.split.models import predicted_subjects

Rows = Sequence[Mapping[str, str]]
METRIC_NAMES = {
    "dice": "Dice",
    "hd95_mm": "95 % Hausdorff distance, mm",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "iou": "Intersection over union",
    "assd_mm": "Average symmetric surface distance, mm",
    "volume_difference_ml": "Volume, predicted less true, ml",
    "volume_difference_percent": "Volume, predicted less true, % of the true",
    "lesion_dice": "Dice by lesion (rules of 2023)",
    "lesion_hd95_mm": "95 % Hausdorff distance by lesion, mm",
}
VIEWERS = ("all", "gallery", "none")
COLUMN_NAMES = {name: REGION_NAMES.get(name, "mean of the three") for name in TABLE_ORDER}


def subject_table(subjects: Rows) -> list[dict]:
    """The network's scores, lowest mean Dice first: a row {"subject", "fold", "mean", metric: {region: …}} each.

    A score that isn't there is NaN; subjects whose mean is not known come first.
    """
    found: dict[str, dict] = {}
    for row in subjects:
        if row["method"] == NETWORK:
            of_subject = found.setdefault(row["subject"], {"subject": row["subject"], "fold": row["fold"]})
            of_subject.setdefault(row["metric"], {})[row["region"]] = float(row["value"] or "nan")
    for of_subject in found.values():
        dice = of_subject.setdefault("dice", {})
        of_subject["mean"] = statistics.fmean(dice.get(name, math.nan) for name in EVERYWHERE)
    return sorted(found.values(), key=lambda row: (not math.isnan(row["mean"]), row["mean"], row["subject"]))


def both_ends(table: list[dict], count: int) -> tuple[list[dict], list[dict]]:
    """The `count` first and last rows, the last ones reversed; all in the first list where the two would meet."""
    if len(table) <= 2 * count:
        return table, []
    return table[:count], table[: -count - 1 : -1]


def unscored_subjects(cohort: Rows, table: list[dict], uncertainty: Rows) -> list[str]:
    """Who was predicted and not scored: without a truth the least sure come first, which are worth a look."""
    scored, unsure = {row["subject"] for row in table}, {row["subject"]: row["uncertainty"] for row in uncertainty}
    unscored = [subject for subject in predicted_subjects(cohort) if subject not in scored]
    return sorted(unscored, key=lambda subject: -float(unsure.get(subject, 0)))


def viewed(viewer: str, cohort: Rows, subjects: Rows, uncertainty: Rows, gallery: int) -> list[str]:
    """The predicted subjects whose page has the interactive viewer: all, none, or the gallery's.

    subjects, uncertainty: rows of these tables, which only the gallery needs. Raises ValueError for another `viewer`.
    """
    if viewer not in VIEWERS:
        raise ValueError(f"viewer: expected one of {', '.join(VIEWERS)}, found {viewer}")
    predicted = [] if viewer == "none" else predicted_subjects(cohort)
    if viewer == "gallery":
        table = subject_table(subjects)
        worst, best = both_ends(table, gallery)
        shown = {row["subject"] for row in worst + best} | {*unscored_subjects(cohort, table, uncertainty)[:gallery]}
        return [subject for subject in predicted if subject in shown]
    return predicted


def score_table(scores: Rows) -> list[dict]:
    """A row per metric and method: {"metric", "method", "n", "cells": {region: row of scores}}, the network first."""
    found: dict[tuple[str, str], dict] = {}
    for row in scores:
        if row["metric"] in METRIC_NAMES:
            key = row["metric"], row["method"]
            entry = found.setdefault(key, {"metric": key[0], "method": key[1], "n": row["n"], "cells": {}})
            entry["cells"][row["region"]] = row
    order = list(METRIC_NAMES)
    return sorted(found.values(), key=lambda row: (order.index(row["metric"]), row["method"] != NETWORK))


def fold_counts(cohort: Rows) -> list[tuple[str, int]]:
    """How many subjects each fold holds, the numbered ones first."""
    folds = [row["fold"] for row in cohort if row["verdict"] != "excluded"]
    return [
        (fold, folds.count(fold))
        for fold in sorted(set(folds), key=lambda fold: (not fold.isdecimal(), len(fold), fold))
    ]


def seeds_apart(trainings: Sequence[Mapping]) -> float | None:
    """Standard deviation of monitored Dice among a fold's models, mean over folds; None where no fold has several."""
    folds: dict[str, list[float]] = {}
    for training in trainings:
        if training["monitored_dice"] is not None:
            folds.setdefault(training["fold"], []).append(training["monitored_dice"])
    deviations = [statistics.stdev(values) for values in folds.values() if len(values) > 1]
    return statistics.mean(deviations) if deviations else None


def check_counts(cohort: Rows) -> dict[str, dict[str, int]]:
    """Check -> {"excluded", "warned"}: of how many subjects it said so, all checks first in the order of CHECKS.

    What merely warns does so in an excluded subject too; what excludes, warns of a subject that was forced in.
    """
    counts = {name: {"excluded": 0, "warned": 0} for name in CHECKS}
    for row in cohort:
        for name in filter(None, row["checks"].split(",")):
            verdict = "excluded" if row["verdict"] == "excluded" and CHECKS.get(name) != "warned" else "warned"
            counts.setdefault(name, {"excluded": 0, "warned": 0})[verdict] += 1
    return counts


def covariates(cohort: Rows) -> dict[str, bool]:
    """The columns beyond those of every cohort that have any value: name -> whether all its values are numbers."""
    names = [name for name in (cohort[0] if cohort else ()) if name not in COLUMNS]
    found = {name: {row[name] for row in cohort} - {""} for name in names}
    return {name: all(map(_is_number, values)) for name, values in found.items() if values}


def crop_losses(cohort: Rows) -> dict:
    """What the crop cut off: {"known": subjects with a mask, "rows": [(subject, percent)] worst first, "median"}."""
    known = [(row["subject"], float(row["lost_percent"])) for row in cohort if row["lost_percent"]]
    hit = sorted((pair for pair in known if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))
    return {"known": len(known), "rows": hit, "median": statistics.median([lost for _, lost in known] or [0.0])}


def rule_times(benchmarks: Mapping[str, Rows]) -> list[dict]:
    """Per rule: {"rule", "jobs", "median_s", "longest_s", "total_s", "memory_mb"}, the longest in total first.

    memory_mb is the largest of its jobs; None where no job ran long enough to be measured.
    """
    rules = []
    for rule, rows in benchmarks.items():
        seconds = [float(row["s"]) for row in rows]
        memory = [float(row["max_rss"]) for row in rows if row["max_rss"] not in ("-", "NA", "")]
        times = {"median_s": statistics.median(seconds), "longest_s": max(seconds), "total_s": sum(seconds)}
        rules.append({"rule": rule, "jobs": len(rows), **times, "memory_mb": max(memory, default=None)})
    return sorted(rules, key=lambda row: -row["total_s"])


def shared_settings(trainings: Sequence[Mapping]) -> dict[str, str]:
    """The settings of all models by name; where models differ, each one's value."""
    settings: dict[str, str] = {}
    for name in dict.fromkeys(name for training in trainings for name in training["settings"]):
        values = [json.dumps(training["settings"].get(name), ensure_ascii=False).strip('"') for training in trainings]
        settings[name] = values[0] if len(set(values)) == 1 else " · ".join(values)
    return settings


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
