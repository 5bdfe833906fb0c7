"""Rows of the report's tables, computed from the tables of a run."""

import json
import statistics
from collections.abc import Collection, Mapping, Sequence

from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.score_table import MEAN, NETWORK, TABLE_ORDER
from glioseg.labels import REGION_NAMES
from glioseg.preprocess.findings import CHECKS
from glioseg.report.run import Rows
from glioseg.split.cohort import counted, covariates_in, patients_in

COLUMN_NAMES = {name: REGION_NAMES.get(name, "mean of WT, TC, ET") for name in TABLE_ORDER}


def metric_rows(scores: Rows) -> list[dict]:
    """One row per metric and method: {"metric", "method", "n", "cells": {region: row of scores}}, the network first."""
    found: dict[tuple[str, str], dict] = {}
    for row in scores:
        if row["metric"] in METRICS:
            key = row["metric"], row["method"]
            entry = found.setdefault(key, {"metric": key[0], "method": key[1], "n": row["n"], "cells": {}})
            entry["cells"][row["region"]] = row
    order = list(METRICS)
    return sorted(found.values(), key=lambda row: (order.index(row["metric"]), row["method"] != NETWORK))


def group_tables(groups: Rows) -> dict[str, dict]:
    """Covariate -> {"groups": group -> region -> row of groups.tsv with the Dice, "others": the same with others}.

    others: metric -> group -> the row of the mean over WT, TC and ET.
    """
    found: dict[str, dict] = {}
    for row in groups:
        of_covariate = found.setdefault(row["covariate"], {"groups": {}, "others": {}})
        if row["metric"] == "dice":
            of_covariate["groups"].setdefault(row["group"], {})[row["region"]] = row
        elif row["region"] == MEAN:
            of_covariate["others"].setdefault(row["metric"], {})[row["group"]] = row
    return found


def fold_counts(cohort: Rows) -> list[tuple[str, str]]:
    """The number of subjects in each fold, and of their patients if it differs, in words; numbered folds first."""
    folds: dict[str, list] = {}
    for row in cohort:
        if row["verdict"] != "excluded":
            folds.setdefault(row["fold"], []).append(row)
    order = sorted(folds, key=lambda fold: (not fold.isdecimal(), len(fold), fold))
    return [(fold, counted(folds[fold])) for fold in order]


def count_in(names: Collection[str], cohort: Rows) -> str:
    """The number of subjects of a model, and of their patients if it differs: "12", or "12 of 6 patients".

    The patients of subjects that are not in the cohort are not known.
    """
    learned = set(names)
    rows = [row for row in cohort if row["subject"] in learned]
    patients = patients_in(rows)
    return f"{len(names)} of {patients} patients" if len(rows) == len(names) > patients else str(len(names))


def seeds_apart(trainings: Sequence[Mapping]) -> float | None:
    """Standard deviation of validation Dice among a fold's models, mean over folds; None if no fold has several."""
    folds: dict[str, list[float]] = {}
    for training in trainings:
        if training["validation_dice"] is not None:
            folds.setdefault(training["fold"], []).append(training["validation_dice"])
    deviations = [statistics.stdev(values) for values in folds.values() if len(values) > 1]
    return statistics.mean(deviations) if deviations else None


def check_counts(cohort: Rows) -> dict[str, dict[str, int]]:
    """Check -> {"excluded", "warned"}: the number of subjects with each verdict, in the order of CHECKS, then others.

    A check that only warns counts as "warned" even in an excluded subject. A check that excludes counts as "warned" in
    a subject that was included by force.
    """
    counts = {name: {"excluded": 0, "warned": 0} for name in CHECKS}
    for row in cohort:
        for name in filter(None, row["checks"].split(",")):
            verdict = "excluded" if row["verdict"] == "excluded" and CHECKS.get(name) != "warned" else "warned"
            counts.setdefault(name, {"excluded": 0, "warned": 0})[verdict] += 1
    return counts


def covariates(cohort: Rows) -> dict[str, bool]:
    """The additional columns of this cohort that have any value: name -> whether all its values are numbers."""
    found = {name: {row[name] for row in cohort} - {""} for name in covariates_in(cohort)}
    return {name: all(map(_is_number, values)) for name, values in found.items() if values}


def bounds_held(uncertainty: Rows) -> tuple[int, int] | None:
    """How many scored subjects reach the bound of their Dice, and of how many; None if no subject has a bound."""
    known = [row for row in uncertainty if row["dice"] and row["dice_at_least"]]
    held = sum(float(row["dice"]) >= float(row["dice_at_least"]) for row in known)
    return (held, len(known)) if known else None


def crop_losses(cohort: Rows) -> dict:
    """Tumor lost to cropping: {"known": subjects with a mask, "rows": [(subject, percent)] worst first, "median"}."""
    known = [(row["subject"], float(row["lost_percent"])) for row in cohort if row["lost_percent"]]
    hit = sorted((pair for pair in known if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))
    return {"known": len(known), "rows": hit, "median": statistics.median([percent for _, percent in known] or [0.0])}


def rule_times(benchmarks: Mapping[str, Rows]) -> list[dict]:
    """Per rule: {"rule", "jobs", "median_s", "longest_s", "total_s", "memory_mb"}, the longest in total first.

    memory_mb is the largest of the rule's jobs; None if no job ran long enough to be measured.
    """
    rules = []
    for rule, rows in benchmarks.items():
        seconds = [float(row["s"]) for row in rows]
        memory = [float(row["max_rss"]) for row in rows if row["max_rss"] not in ("-", "NA", "")]
        times = {"median_s": statistics.median(seconds), "longest_s": max(seconds), "total_s": sum(seconds)}
        rules.append({"rule": rule, "jobs": len(rows), **times, "memory_mb": max(memory, default=None)})
    return sorted(rules, key=lambda row: -row["total_s"])


def shared_settings(trainings: Sequence[Mapping]) -> dict[str, str]:
    """The training settings by name; where models differ, the value of each model."""
    settings: dict[str, str] = {}
    for name in dict.fromkeys(name for training in trainings for name in training["settings"]):
        values = [json.dumps(training["settings"].get(name), ensure_ascii=False).strip('"') for training in trainings]
        settings[name] = values[0] if len(set(values)) == 1 else " · ".join(values)
    return settings


def start_sentences(trainings: Sequence[Mapping]) -> list[str]:
    """What the models took over from the models that they went on from, each sentence once."""
    # Models of older versions record no start.
    found = [sentence for training in trainings for sentence in training.get("start", {}).get("sentences", ())]
    return list(dict.fromkeys(found))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
