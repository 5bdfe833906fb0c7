"""The report: its pages as strings of HTML."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from glioseg.evaluate.score_table import MEAN, NETWORK
from glioseg.labels import EVERYWHERE, REGIONS
from glioseg.plot.figures import FIGURES
from glioseg.report.pages import pages_under, pictures_of
from glioseg.report.strip_plots import strip_plots
from glioseg.report.tables import (
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
from glioseg.split.models import scored_subjects
from glioseg.workflow.failures import SCORING, lost


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
            figures=FIGURES,
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


def shown_subjects(worst: list[dict], best: list[dict], unscored: list[str]) -> list[str]:
    """All subjects shown in pictures."""
    return [row["subject"] for row in worst + best] + unscored
