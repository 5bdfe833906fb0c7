"""The report: its pages as strings of HTML."""

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from glioseg.cohort import scored_subjects
from glioseg.failures import SCORING, lost
from glioseg.labels import EVERYWHERE, REGIONS
from glioseg.outputs import read_json, read_table
from glioseg.page_plots import strip_plots
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
    seeds_apart,
    shared_settings,
    subject_table,
    unscored_subjects,
)
from glioseg.summary import DASH, MEAN, NETWORK

PICTURES = ("planes", "modalities", "sample")


def render(
    cohort: Rows,
    subjects: Rows,
    scores: Rows,
    uncertainty: Rows,
    trainings: Sequence[Mapping],
    searches: Mapping[str, Rows],
    benchmarks: Mapping[str, Rows],
    config: Mapping,
    commit: str,
    gallery: int,
    hashes: Mapping[str, Mapping[str, str]],
    models: Mapping[str, str],
    pages: str,
    picture: Callable[[str], str],
    failures: Rows,
) -> str:
    """The page about the run.

    cohort, subjects, scores, uncertainty: rows of cohort.tsv, subjects.tsv, scores.tsv and uncertainty.tsv; trainings:
    settings.json of each model; searches: fold -> rows of its table of postprocess;
    benchmarks: rule -> rows of Snakemake's benchmark files; gallery: how many of the worst and of the best subjects to
    show in pictures; hashes: subject -> modality -> hash of its voxels; models: model -> hash of its file;
    pages: address of the folder of subjects' pages, seen from this one, with a slash at its end; picture: path below
    the folder of plots -> data URI, "" where there is no such picture; failures: rows of the ledger of failed jobs that
    the run went on without.
    """
    gone = lost(failures, *SCORING)
    table = subject_table(subjects)
    worst, best = both_ends(table, gallery)
    unscored = [subject for subject in unscored_subjects(cohort, table, uncertainty) if subject not in gone]
    # The usual ones have their columns even where a run has no scores at all.
    there = {*EVERYWHERE, MEAN, *(row["region"] for row in scores)}
    return (
        pages_under(pages)
        .get_template("report.html.j2")
        .render(
            regions={name: words for name, words in COLUMN_NAMES.items() if name in there},
            measured=[name for name in REGIONS if name in there],
            metrics=METRIC_NAMES,
            headline={row["region"]: row for row in scores if row["method"] == NETWORK and row["metric"] == "dice"},
            score_rows=score_table(scores),
            table=table,
            plots=strip_plots(table, [name for name in REGIONS if name in there]),
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
            pages=pages,
            unsure={row["subject"]: row for row in uncertainty},
            searches=searches,
            failures=failures,
            lost=sorted(gone & set(scored_subjects(cohort))),
            gallery=gallery,
            picture=picture,
            pictures={
                subject: pictures_of(subject, picture) for subject in shown_subjects(worst, best, unscored[:gallery])
            },
            times=rule_times(benchmarks),
            trainings=trainings,
            settings=shared_settings(trainings),
            seeds_apart=seeds_apart(trainings),
            config=json.dumps(config, indent=2, ensure_ascii=False),
            commit=commit,
            hashed=sum(map(bool, hashes.values())),
            data_hash=hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest(),
            models=models,
        )
    )


def pages_under(folder: str) -> Environment:
    """The templates, with a filter `address` from a subject to the link to its page in that folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=number, duration=duration, address=lambda name: f"{folder}{quote(name)}.html")
    return environment


def data_uri(path: Path) -> str:
    """A PNG file as a data URI; "" if there is no such file."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else ""


def relative(folder: Path, start: Path) -> str:
    """The address of a folder, seen from a page in another one: with a slash at its end."""
    return quote(os.path.relpath(folder, start)) + "/"


def script_of(subject: str, volumes: Path, pages: Path) -> str:
    """The address of the script with a subject's volumes, seen from its page; "" where there is none."""
    return f"{relative(volumes, pages)}{quote(subject)}.js" if (volumes / f"{subject}.js").is_file() else ""


def read_hashes(preprocessed: Path, subjects: Sequence[str]) -> dict[str, dict[str, str]]:
    """Subject -> modality -> hash of its voxels, from the `scan.json` below a folder; those without are left out."""
    found = {}
    for subject in subjects:
        path = preprocessed / subject / "scan.json"
        if path.is_file():
            found[subject] = read_json(path)["hashes"]
    return found


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
