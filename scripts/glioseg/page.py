"""The report: its page as one string of HTML."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from glioseg.cohort import predicted_subjects
from glioseg.labels import REGIONS
from glioseg.outputs import read_table
from glioseg.page_tables import (
    COLUMN_NAMES,
    METRIC_NAMES,
    Rows,
    both_ends,
    check_counts,
    covariates,
    crop_losses,
    fold_counts,
    rule_times,
    score_table,
    shared_settings,
    subject_table,
)
from glioseg.summary import DASH, MEAN, NETWORK, OF_MEAN

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
    unscored = [subject for subject in predicted_subjects(cohort) if subject not in scored]
    # The usual ones have their columns even where a run has no scores at all.
    there = {*OF_MEAN, MEAN, *(row["region"] for row in scores)}
    return environment.get_template("report.html.j2").render(
        regions={name: words for name, words in COLUMN_NAMES.items() if name in there},
        measured=[name for name in REGIONS if name in there],
        metrics=METRIC_NAMES,
        headline={row["region"]: row for row in scores if row["method"] == NETWORK and row["metric"] == "dice"},
        score_rows=score_table(scores),
        table=table,
        taken=[row for row in cohort if row["verdict"] != "excluded"],
        warned=[row for row in cohort if row["verdict"] == "warned"],
        excluded=[row for row in cohort if row["verdict"] == "excluded"],
        checks=check_counts(cohort),
        dialects={row["labels"] for row in cohort},
        covariates=covariates(cohort),
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
