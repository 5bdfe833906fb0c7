"""Bring the scores of all subjects together: one tidy table, and one of each method's scores, whose Dice is printed.

A subject of the cohort that should have been scored and has no file in the folder of evaluate could not be predicted.
It is counted with the worst scores there are, and named; but one whose job the ledger of failures holds is left out.
"""

from pathlib import Path

import click

from glioseg.evaluate.calibration import CALIBRATION_COLUMNS, calibration_rows
from glioseg.evaluate.score_table import score_table
from glioseg.evaluate.summary import (
    BASELINE_COLUMNS,
    PRESENT_COLUMNS,
    SCORE_COLUMNS,
    SCORED_COLUMNS,
    SUBJECT_COLUMNS,
    collect_scores,
    subject_rows,
    summarize_scores,
)
from glioseg.evaluate.uncertainty import UNCERTAINTY_COLUMNS, mean_dice, uncertainty_rows
from glioseg.files import read_table, write_table
from glioseg.workflow.commands import FILE, NEW, SEED, Command
from glioseg.workflow.failures import SCORING, failed_subjects, read_failures


@click.command(cls=Command, help=__doc__)
@click.option("--evaluate", required=True, type=NEW, help="Folder of evaluate: a JSON file for each scored subject.")
@click.option("--predictions", required=True, type=NEW, help="Folder of predict: how sure each segmentation is.")
@click.option("--baseline", required=True, type=FILE, help="Table of the baselines' scores; may hold just its header.")
@click.option("--cohort", required=True, type=FILE, help="Table of split: every subject with its fold.")
@click.option("--failures", multiple=True, type=NEW, help="Ledger of failed jobs, to leave out who has no scores.")
@click.option("--bootstrap", required=True, type=click.IntRange(1), help="Resamples behind each 95 % interval.")
@click.option("--seed", required=True, type=SEED, help="Seed of the resamples.")
@click.option("--subjects", required=True, type=NEW, help="Table to write: every single score.")
@click.option("--scores", required=True, type=NEW, help="Table to write: a row for each method, region and metric.")
@click.option("--calibration", required=True, type=NEW, help="Table to write: whether probabilities are true.")
@click.option("--uncertainty", required=True, type=NEW, help="Table to write: predicted subjects, least sure first.")
def summarize(
    evaluate: Path,
    predictions: Path,
    baseline: Path,
    cohort: Path,
    failures: tuple[Path, ...],
    bootstrap: int,
    seed: int,
    subjects: Path,
    scores: Path,
    calibration: Path,
    uncertainty: Path,
) -> None:
    rows, baselines = read_table(cohort, SCORED_COLUMNS), read_table(baseline, BASELINE_COLUMNS)
    skipped = failed_subjects(read_failures(failures), *SCORING)
    evaluations, failed = collect_scores(evaluate, [row for row in rows if row["subject"] not in skipped])
    baselines = [row for row in baselines if row["subject"] not in skipped]
    tidy = subject_rows(evaluations, baselines, {row["subject"]: row["fold"] for row in rows})
    summary = summarize_scores(tidy, bootstrap, seed)
    write_table(subjects, SUBJECT_COLUMNS, tidy)
    write_table(scores, (*SCORE_COLUMNS, *PRESENT_COLUMNS), summary)
    write_table(calibration, CALIBRATION_COLUMNS, calibration_rows(evaluations))
    write_table(uncertainty, UNCERTAINTY_COLUMNS, uncertainty_rows(predictions, rows, mean_dice(evaluations)))
    for subject in failed:
        click.echo(f"{subject} has no scores in {evaluate}: counted as not predicted, with the worst that there are")
    if skipped:
        click.echo(
            f"Left out, as their jobs failed: {len(skipped)} ({', '.join(sorted(skipped))}). These are the skip_failed:"
        )
    click.echo(score_table(summary))


if __name__ == "__main__":
    summarize()
