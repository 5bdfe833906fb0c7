"""The report's pages about single subjects."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from glioseg.evaluate.metrics import METRIC_NAMES, METRICS
from glioseg.evaluate.score_table import MEAN, TABLE_ORDER
from glioseg.labels import REGION_NAMES
from glioseg.report.gallery import paged_subjects, subject_table
from glioseg.report.pages import figures_of, pages_under
from glioseg.report.run import Run
from glioseg.report.tables import covariates


def render_subjects(
    run: Run, figure: Callable[[str], str], volumes: Mapping[str, str], files: Callable[[str], Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield each subject that has a page, and its page; "previous" and "next" follow the mean Dice, lowest first.

    figure: path in the folder of plots -> data URI or ""; volumes: subject -> address of the script with its volumes,
    relative to the page; "" or no entry if it has none; files: subject -> names of its files and their addresses.
    """
    template = pages_under("").get_template("subject.html.j2")
    table = {row["subject"]: row for row in subject_table(run.subjects)}
    paged = paged_subjects(run.cohort)
    rows = {row["subject"]: row for row in run.cohort if row["subject"] in paged}
    order = [name for name in table if name in rows] + [name for name in rows if name not in table]
    names = covariates(run.cohort)
    lesions: dict[str, list] = {}
    for lesion in run.lesions:
        lesions.setdefault(lesion["subject"], []).append(lesion)
    for place, subject in enumerate(order):
        row = rows[subject]
        yield (
            subject,
            template.render(
                subject=subject,
                external=bool(run.config.get("models")),
                row=row,
                covariates={name: row[name] for name in names if row[name]},
                scores=score_rows(table.get(subject, {})),
                lesions=lesions.get(subject, []),
                regions={name: REGION_NAMES.get(name, "mean") for name in _regions(table.get(subject, {}))},
                previous=order[place - 1] if place else "",
                next=order[place + 1] if place + 1 < len(order) else "",
                hashes=run.hashes.get(subject, {}),
                drawn=figures_of(subject, figure),
                registered=run.registered.get(subject),
                volumes=volumes.get(subject, ""),
                files=files(subject),
            ),
        )


def score_rows(scores: Mapping) -> list[dict]:
    """{"name", "digits", "cells": {region: value}} per metric of a row of `subject_table`, known metrics first."""
    found = [name for name in scores if isinstance(scores[name], dict)]
    return [
        {"name": METRIC_NAMES.get(name, name.replace("_", " ")), "digits": _digits(name), "cells": _cells(scores, name)}
        for name in [
            *(name for name in METRIC_NAMES if name in found),
            *(name for name in found if name not in METRIC_NAMES),
        ]
    ]


def _cells(scores: Mapping, metric: str) -> dict[str, float]:
    return scores[metric] | ({MEAN: scores["mean"]} if metric == "dice" else {})


def _regions(scores: Mapping) -> Sequence[str]:
    found = {name for of_metric in scores.values() if isinstance(of_metric, dict) for name in of_metric}
    return [name for name in TABLE_ORDER if name in found or (name == MEAN and found)]


def _digits(metric: str) -> int:
    return METRICS[metric].digits if metric in METRICS else 1
