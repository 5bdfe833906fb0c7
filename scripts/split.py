"""Decide who takes part, and in which fold: the table of the cohort."""

import json
from pathlib import Path

import click

from glioseg.cohort import COLUMNS, cohort_rows
from glioseg.commands import Command
from glioseg.outputs import write_table


@click.command(cls=Command, help=__doc__)
@click.argument("subjects", nargs=-1, required=True)
@click.option("--preprocess", type=Path, required=True, help="Folder with a folder per subject.")
@click.option("--folds", type=int, required=True, help="1: one model and no cross-validation.")
@click.option("--test-percent", type=float, required=True, help="Share of subjects held out from every model.")
@click.option("--seed", type=int, required=True)
@click.option("--output", type=Path, required=True)
def main(subjects, preprocess, folds, test_percent, seed, output):
    scans = [json.loads((preprocess / subject / "scan.json").read_text()) for subject in subjects]
    rows = cohort_rows(scans, folds, test_percent, seed)
    write_table(output, COLUMNS, rows)
    for row in rows:
        if row["verdict"] == "excluded":
            click.echo(f"{row['subject']} is excluded: {row['reason']}")
    taken = sum(row["verdict"] == "taken" for row in rows)
    click.echo(f"{taken} of {len(rows)} subjects taken")


if __name__ == "__main__":
    main()
