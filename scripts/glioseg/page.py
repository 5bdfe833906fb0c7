"""The report: what its page shows, from the tables of a run, and the page itself as one string of HTML."""

import base64
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from glioseg.labels import REGION_NAMES, REGIONS
from glioseg.outputs import read_table
from glioseg.summary import DASH, MEAN, NETWORK

Rows = Sequence[Mapping[str, str]]
METRIC_NAMES = {
    "dice": "Dice",
    "hd95_mm": "95 % Hausdorff distance, mm",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
}
COLUMN_NAMES = {**REGION_NAMES, MEAN: "mean of the three"}
PICTURES = ("planes", "modalities", "sample")


def render(
    cohort: Rows,
    subjects: Rows,
    scores: Rows,
    trainings: Sequence[Mapping],
    benchmarks: Mapping[str, Rows],
    config: Mapping,
    commit: str,
    gallery: int,
    picture: Callable[[str], str],
) -> str:
    """The page.

    cohort, subjects, scores: rows of cohort.tsv, subjects.tsv and scores.tsv; trainings: settings.json of each model;
    benchmarks: rule -> rows of Snakemake's benchmark files; gallery: how many of the worst and of the best subjects to
    show in pictures; picture: path below the folder of plots -> data URI, "" where there is no such picture.
    """
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=number, duration=duration)
    table = subject_table(subjects)
    worst, best = both_ends(table, gallery)
    scored = {row["subject"] for row in table}
    unscored = [row["subject"] for row in cohort if row["fold"] == "new" and row["subject"] not in scored]
    return environment.get_template("report.html.j2").render(
        regions=COLUMN_NAMES,
        metrics=METRIC_NAMES,
        headline={row["region"]: row for row in scores if row["method"] == NETWORK and row["metric"] == "dice"},
        score_rows=score_table(scores),
        table=table,
        taken=[row for row in cohort if row["verdict"] == "taken"],
        excluded=[row for row in cohort if row["verdict"] == "excluded"],
        folds=fold_counts(cohort),
        losses=crop_losses(cohort),
        worst=worst,
        best=best,
        unscored=unscored,
        gallery=gallery,
        picture=picture,
        pictures={
            subject: pictures_of(subject, picture) for subject in shown_subjects(worst, best, unscored[:gallery])
        },
        times=rule_times(benchmarks),
        trainings=trainings,
        settings=shared_settings(trainings),
        config=json.dumps(config, indent=2, ensure_ascii=False),
        commit=commit,
    )


def data_uri(path: Path) -> str:
    """A PNG file as a data URI; "" if there is no such file."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else ""


def read_times(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Rule -> rows of Snakemake's benchmark files RULE.tsv and RULE/….tsv; {} where the folder does not exist."""
    times: dict[str, list] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).with_suffix("").parts[0]
        times.setdefault(rule, []).extend(read_table(path, ("s", "max_rss")))
    return times


def subject_table(subjects: Rows) -> list[dict]:
    """The network's scores, lowest mean Dice first: a row {"subject", "fold", "mean", metric: {region: …}} each."""
    found: dict[str, dict] = {}
    for row in subjects:
        if row["method"] == NETWORK:
            of_subject = found.setdefault(row["subject"], {"subject": row["subject"], "fold": row["fold"]})
            of_subject.setdefault(row["metric"], {})[row["region"]] = float(row["value"])
    for of_subject in found.values():
        of_subject["mean"] = statistics.fmean(of_subject["dice"][name] for name in REGIONS)
    return sorted(found.values(), key=lambda row: (row["mean"], row["subject"]))


def both_ends(table: list[dict], count: int) -> tuple[list[dict], list[dict]]:
    """The `count` first and last rows, the last ones reversed; all in the first list where the two would meet."""
    if len(table) <= 2 * count:
        return table, []
    return table[:count], table[: -count - 1 : -1]


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
    folds = [row["fold"] for row in cohort if row["verdict"] == "taken"]
    return [
        (fold, folds.count(fold))
        for fold in sorted(set(folds), key=lambda fold: (not fold.isdecimal(), len(fold), fold))
    ]


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


def shown_subjects(worst: list[dict], best: list[dict], unscored: list[str]) -> list[str]:
    """All subjects shown in pictures."""
    return [row["subject"] for row in worst + best] + unscored


def pictures_of(subject: str, picture: Callable[[str], str]) -> dict[str, str]:
    """The pictures that a subject has, by name."""
    found = {name: picture(f"subjects/{subject}/{name}.png") for name in PICTURES}
    return {name: data for name, data in found.items() if data}


def number(value: str | float | None, digits: int) -> str:
    """A number with so many decimals; a dash where there is none."""
    return DASH if value is None or value == "" or float(value) != float(value) else f"{float(value):.{digits}f}"


def duration(seconds: float) -> str:
    """Seconds in the unit in which people would tell them."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
