"""The main page of the report."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime

from glioseg.colors import REGION_COLORS
from glioseg.evaluate.lesion_table import lesion_counts
from glioseg.evaluate.metrics import CLASS_METRICS, METRICS
from glioseg.evaluate.parts.confusion import BACKGROUND, pooled_confusion
from glioseg.evaluate.parts.groups import SMALLEST_GROUP
from glioseg.evaluate.score_table import MEAN, NETWORK
from glioseg.labels import EVERYWHERE, REGIONS, classes_of, regions_of
from glioseg.plot.figures import FIGURES
from glioseg.report.gallery import both_ends, paged_subjects, subject_table, unscored_subjects
from glioseg.report.pages import figures_of, pages_under
from glioseg.report.paper.contents import Paper, paper_contents
from glioseg.report.registration import doubtful
from glioseg.report.run import Run
from glioseg.report.scores.calibrated import calibration_facts
from glioseg.report.scores.suspects import suspects
from glioseg.report.strip_plots import strip_plots
from glioseg.report.study import TITLE, study_facts
from glioseg.report.tables import (
    COLUMN_NAMES,
    bounds_held,
    check_counts,
    count_in,
    covariates,
    crop_losses,
    fold_counts,
    group_tables,
    metric_rows,
    rule_times,
    seeds_apart,
    shared_settings,
    start_sentences,
)
from glioseg.split.cohort import counted
from glioseg.split.models import scored_subjects
from glioseg.workflow.failures import SCORING, failed_subjects


def render(
    run: Run,
    paper: Paper,
    title: str,
    gallery: int,
    addresses: Mapping[str, str],
    figure: Callable[[str], str],
    files: Mapping,
) -> str:
    """The main page of the report, as HTML.

    paper: what a publication says of the run; title: of the page; "" is `TITLE`; gallery: how many of the worst and of
    the best subjects to show in figures;
    addresses: of the folders of subject pages ("pages") and of files for a publication ("paper") relative to this page,
    each with a slash at its end; files: "listed", the result of `downloads`; "segmentations", subject -> address of
    its label map; and "segmenter", the address of the page that segments scans, "" if there is none; figure: path in
    the folder of plots -> data URI, "" if there is no such figure.
    """
    failed = failed_subjects(run.failures, *SCORING)
    table = subject_table(run.subjects)
    worst, best = both_ends(table, gallery)
    unscored = [subject for subject in unscored_subjects(run.cohort, table, run.uncertainty) if subject not in failed]
    suspected = suspects(run.uncertainty, run.suspects)
    # The usual regions have their columns even if a run has no scores.
    there = {*EVERYWHERE, MEAN, *(row["region"] for row in run.scores)}
    return (
        pages_under(addresses["pages"])
        .get_template("report.html.j2")
        .render(
            title=title or TITLE,
            facts=study_facts(run, datetime.now().astimezone().date()),
            regions={name: words for name, words in COLUMN_NAMES.items() if name in there},
            colors=REGION_COLORS,
            figures=FIGURES,
            measured=[name for name in REGIONS if name in there],
            metrics=METRICS,
            headline={row["region"]: row for row in run.scores if row["method"] == NETWORK and row["metric"] == "dice"},
            score_rows=metric_rows(run.scores),
            table=table,
            plots=strip_plots(table, [name for name in REGIONS if name in there]),
            included=[row for row in run.cohort if row["verdict"] != "excluded"],
            warned=[row for row in run.cohort if row["verdict"] == "warned"],
            found=counted(run.cohort),
            excluded=[row for row in run.cohort if row["verdict"] == "excluded"],
            checks=check_counts(run.cohort),
            dialects={row["labels"] for row in run.cohort},
            covariates=covariates(run.cohort),
            folds=fold_counts(run.cohort),
            losses=crop_losses(run.cohort),
            worst=worst,
            best=best,
            unscored=unscored,
            pages=addresses["pages"],
            files=files["listed"],
            segmentations=files["segmentations"],
            segmenter=files["segmenter"],
            paper=paper_contents(paper, addresses["paper"]),
            paged=paged_subjects(run.cohort),
            uncertainties={row["subject"]: row for row in run.uncertainty},
            bounds_held=bounds_held(run.uncertainty),
            suspects=suspected,
            registered=doubtful(run.registered),
            lesions=run.lesions,
            lesion_counts=lesion_counts(run.lesions),
            classes=classes_of({row["labels"] for row in run.cohort})[1:],
            # The specificity of a class is close to 1, whatever is predicted.
            class_metrics=[name for name in CLASS_METRICS if name != "specificity"],
            background=BACKGROUND,
            confusion=pooled_confusion(run.confusion),
            group_tables=group_tables(run.groups),
            smallest_group=SMALLEST_GROUP,
            volumes={row["subject"]: row for row in run.volumes},
            volume_regions=regions_of({row["labels"] for row in run.cohort}),
            calibration=calibration_facts(run.calibration, run.chosen),
            tunings=run.tunings,
            failures=run.failures,
            notes=run.notes,
            failed=sorted(failed & set(scored_subjects(run.cohort))),
            gallery=gallery,
            figure_uri=figure,
            subject_figures={
                subject: figures_of(subject, figure)
                for subject in shown_subjects(worst, best, unscored[:gallery], suspected["subjects"][:gallery])
            },
            times=rule_times(run.benchmarks),
            trainings=run.trainings,
            count_in=lambda names: count_in(names, run.cohort),
            settings=shared_settings(run.trainings),
            starts=start_sentences(run.trainings),
            seeds_apart=seeds_apart(run.trainings),
            config=json.dumps(run.config, indent=2, ensure_ascii=False),
            commit=run.commit,
            hashed=sum(map(bool, run.hashes.values())),
            data_hash=hashlib.sha256(json.dumps(run.hashes, sort_keys=True).encode()).hexdigest(),
            models=run.models,
            external=bool(run.config.get("models")),
            learned=len({name for training in run.trainings for name in training["subjects"]}),
        )
    )


def shown_subjects(worst: list[dict], best: list[dict], unscored: list[str], suspected: list[dict]) -> list[str]:
    """All subjects shown in figures."""
    return [row["subject"] for row in worst + best + suspected] + unscored
