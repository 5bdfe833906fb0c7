"""Bring the scores of all subjects together: one tidy table, and one of each method's scores, whose Dice is printed."""

from pathlib import Path

import click

from glioseg.cohort import scored_subjects
from glioseg.commands import FILE, NEW, SEED, Command
from glioseg.outputs import read_table, write_table
from glioseg.summary import (
    BASELINE_COLUMNS,
    SCORE_COLUMNS,
    SUBJECT_COLUMNS,
    read_scores,
    score_table,
    subject_rows,
    summarize_scores,
)


@click.command(cls=Command, help=__doc__)
@click.option("--evaluate", required=True, type=NEW, help="Folder of evaluate: a JSON file for each scored subject.")
@click.option("--baseline", required=True, type=FILE, help="Table of the baselines' scores; may hold just its header.")
@click.option("--cohort", required=True, type=FILE, help="Table of split: every subject with its fold.")
@click.option("--bootstrap", required=True, type=click.IntRange(1), help="Resamples behind each 95 % interval.")
@click.option("--seed", required=True, type=SEED, help="Seed of the resamples.")
@click.option("--subjects", required=True, type=NEW, help="Table to write: every single score.")
@click.option("--scores", required=True, type=NEW, help="Table to write: a row for each method, region and metric.")
def summarize(
    evaluate: Path, baseline: Path, cohort: Path, bootstrap: int, seed: int, subjects: Path, scores: Path
) -> None:
    rows, baselines = read_table(cohort, ("subject", "fold", "has_mask")), read_table(baseline, BASELINE_COLUMNS)
    evaluations = [read_scores(evaluate / f"{subject}.json") for subject in scored_subjects(rows)]
    tidy = subject_rows(evaluations, baselines, {row["subject"]: row["fold"] for row in rows})
    summary = summarize_scores(tidy, bootstrap, seed)
    write_table(subjects, SUBJECT_COLUMNS, tidy)
    write_table(scores, SCORE_COLUMNS, summary)
    click.echo(score_table(summary))


if __name__ == "__main__":
    summarize()
