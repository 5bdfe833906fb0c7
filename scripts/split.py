"""Decide which subjects are included, and assign them to folds."""

from pathlib import Path

import click

from glioseg.files import read_json, read_table, write_table
from glioseg.split.cohort import COHORT_COLUMNS, cohort_rows, covariate_columns, insist_on_all
from glioseg.workflow.commands import TABLE, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subjects", type=Path, required=True, help="Table written by layouts: subjects, files and covariates.")
@click.option("--preprocess", type=Path, required=True, help="Folder written by preprocess, with a folder per subject.")
@click.option("--exclude", multiple=True, help="Name of a subject to leave out (repeatable).")
@click.option("--failed", multiple=True, help="Name of a subject whose preprocessing failed (repeatable).")
@click.option("--folds", type=int, required=True, help="Number of folds; 1: one model and no cross-validation.")
@click.option("--test-percent", type=float, required=True, help="Percentage of subjects held out from every model.")
@click.option("--strict", type=bool, required=True, help="true: stop with an error if a subject is excluded.")
@click.option("--seed", type=int, required=True, help="Seed for drawing the folds.")
@click.option("--output", type=TABLE, required=True, help="Cohort table to write.")
def split(subjects, preprocess, exclude, failed, folds, test_percent, strict, seed, output):
    table = read_table(subjects, ("subject", "labels"))
    left_out = dict.fromkeys(failed, "failed") | dict.fromkeys(exclude, "exclude")
    names = [row["subject"] for row in table if row["subject"] not in left_out]
    scans = {name: read_json(preprocess / name / "scan.json") for name in names}
    if strict:
        insist_on_all(scans)
    rows = cohort_rows(table, scans, left_out, folds, test_percent, seed)
    write_table(output, COHORT_COLUMNS + covariate_columns(table, scans), rows)
    for row in rows:
        if row["verdict"] != "included":
            click.echo(f"{row['subject']} is {row['verdict']}: {row['reason']}")
    included = sum(row["verdict"] != "excluded" for row in rows)
    click.echo(f"{included} of {len(rows)} subjects included")


if __name__ == "__main__":
    split()
