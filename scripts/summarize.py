"""Collect the scores of all subjects in a table, summarize them by method, region and metric, and print the mean Dice.

A subject that should have been scored but has no file from evaluate could not be predicted: it is named, and counts
with the worst possible scores. A subject whose job is listed in the table of failed jobs is left out.
"""

from pathlib import Path

import click

from glioseg.evaluate.calibration import CALIBRATION_COLUMNS, calibration_rows
from glioseg.evaluate.lesion_table import LESION_COLUMNS, lesion_rows
from glioseg.evaluate.parts.confusion import CONFUSION_COLUMNS, confusion_rows
from glioseg.evaluate.parts.groups import GROUP_COLUMNS, group_rows
from glioseg.evaluate.parts.suspects import SUSPECT_COLUMNS, depths, suspect_rows
from glioseg.evaluate.score_table import score_table
from glioseg.evaluate.summary import (
    BASELINE_COLUMNS,
    METRIC_LEVELS,
    PRESENT_COLUMNS,
    SCORE_COLUMNS,
    SCORED_COLUMNS,
    SUBJECT_COLUMNS,
    collect_scores,
    subject_rows,
    summarize_scores,
)
from glioseg.evaluate.uncertainty import UNCERTAINTY_COLUMNS, mean_dice, uncertainty_rows
from glioseg.evaluate.volumes import volume_columns, volume_rows
from glioseg.files import read_table, write_table
from glioseg.split.cohort import covariates_in
from glioseg.workflow.commands import FILE, OPTIONAL, SEED, TABLE, Command
from glioseg.workflow.failures import SCORING, failed_subjects, read_failures


@click.command(cls=Command, help=__doc__)
@click.option(
    "--evaluate", required=True, type=OPTIONAL, help="Folder written by evaluate: the scores of each subject."
)
@click.option("--predictions", required=True, type=OPTIONAL, help="Folder written by predict: the uncertainties.")
@click.option("--measured", required=True, type=OPTIONAL, help="Folder with the volumes of each segmentation, as JSON.")
@click.option("--baseline", "baselines", multiple=True, type=FILE, help="Table written by baseline (repeatable).")
@click.option("--cohort", required=True, type=FILE, help="Cohort table written by split.")
@click.option(
    "--failures", multiple=True, type=OPTIONAL, help="Table of failed jobs, whose subjects are left out (repeatable)."
)
@click.option("--bootstrap", required=True, type=click.IntRange(1), help="Number of resamples for each 95 % interval.")
@click.option("--seed", required=True, type=SEED, help="Seed of the bootstrap.")
@click.option("--subjects", required=True, type=TABLE, help="Table to write: one row per score of a subject.")
@click.option("--scores", required=True, type=TABLE, help="Table to write: one row per method, region and metric.")
@click.option("--calibration", required=True, type=TABLE, help="Table to write: calibration of the probabilities.")
@click.option("--uncertainty", required=True, type=TABLE, help="Table to write: subjects, most uncertain first.")
@click.option("--volumes", required=True, type=TABLE, help="Table to write: predicted volumes of all subjects.")
@click.option("--lesions", required=True, type=TABLE, help="Table to write: one row per true or predicted lesion.")
@click.option("--confusion", required=True, type=TABLE, help="Table to write: true against predicted tissue classes.")
@click.option("--suspects", required=True, type=TABLE, help="Table to write: places where masks are worth a look.")
@click.option("--groups", required=True, type=TABLE, help="Table to write: scores by covariate, such as the site.")
def summarize(
    evaluate: Path,
    predictions: Path,
    measured: Path,
    baselines: tuple[Path, ...],
    cohort: Path,
    failures: tuple[Path, ...],
    bootstrap: int,
    seed: int,
    subjects: Path,
    scores: Path,
    calibration: Path,
    uncertainty: Path,
    volumes: Path,
    lesions: Path,
    confusion: Path,
    suspects: Path,
    groups: Path,
) -> None:
    rows = read_table(cohort, SCORED_COLUMNS)
    references = [row for path in baselines for row in read_table(path, BASELINE_COLUMNS)]
    skipped = failed_subjects(read_failures(failures), *SCORING)
    evaluations, failed = collect_scores(evaluate, [row for row in rows if row["subject"] not in skipped])
    references = [row for row in references if row["subject"] not in skipped]
    folds, patients = ({row["subject"]: row[column] for row in rows} for column in ("fold", "patient"))
    tidy = subject_rows(evaluations, references, folds, patients)
    summary = summarize_scores(tidy, bootstrap, seed)
    write_table(subjects, SUBJECT_COLUMNS, tidy, METRIC_LEVELS)
    write_table(scores, (*SCORE_COLUMNS, *PRESENT_COLUMNS), summary, METRIC_LEVELS)
    write_table(calibration, CALIBRATION_COLUMNS, calibration_rows(evaluations))
    of_subjects = uncertainty_rows(predictions, rows, mean_dice(evaluations), depths(evaluations))
    write_table(uncertainty, UNCERTAINTY_COLUMNS, of_subjects)
    write_table(suspects, SUSPECT_COLUMNS, suspect_rows(evaluations, rows))
    write_table(volumes, volume_columns(rows), volume_rows(measured, rows))
    write_table(lesions, LESION_COLUMNS, lesion_rows(evaluations, rows))
    write_table(confusion, CONFUSION_COLUMNS, confusion_rows(evaluations, rows))
    write_table(groups, GROUP_COLUMNS, group_rows(tidy, rows, covariates_in(rows), bootstrap, seed), METRIC_LEVELS)
    for subject in failed:
        click.echo(f"{subject} has no scores in {evaluate}: counted as not predicted, with the worst possible scores")
    if skipped:
        click.echo(
            f"Left out because their jobs failed: {len(skipped)} ({', '.join(sorted(skipped))}). Scores without them:"
        )
    click.echo(score_table(summary))


if __name__ == "__main__":
    summarize()
