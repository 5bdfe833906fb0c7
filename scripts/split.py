"""Decide which subjects are included, and assign them to folds."""

from pathlib import Path

import click

from glioseg.files import COVARIATE, read_json, read_table, write_table
from glioseg.labels import MASK
from glioseg.layouts.covariates import rows_of
from glioseg.predict.model_facts import trained_voxels
from glioseg.split.cohort import COHORT_COLUMNS, NOTES, cohort_rows, counted, covariate_columns, insist_on_all
from glioseg.split.own_folds import folds_by, folds_of
from glioseg.split.seen import seen_subjects
from glioseg.workflow.commands import OPTIONAL, TABLE, Command, finished_models


def given_folds(table: list[dict], exclude: set[str], file: str, by: str) -> dict[str, str]:
    """Subject -> fold, as the user's table gives it or by the values of a covariate; says who is in which fold."""
    if by:
        masked = [row for row in table if row.get(MASK) and row["subject"] not in exclude]
        values = {row["subject"]: row.get(by, "") for row in masked}
        given = folds_by(values, by)
        for fold, value in sorted({(int(given[name]), value) for name, value in values.items()}):
            click.echo(f"fold {fold}: {by} {value}")
        return given
    key, folds = folds_of(rows_of(file), file)
    unknown = sorted(set(folds) - {row[key] for row in table})
    if unknown:
        click.echo(f"{file}: {len(unknown)} of {len(folds)} rows name no {key} of the data, such as {unknown[0]}")
    return {row["subject"]: folds[row[key]] for row in table if row[key] in folds}


@click.command(cls=Command, help=__doc__)
@click.option("--subjects", type=Path, required=True, help="Table written by layouts: subjects, files and covariates.")
@click.option("--preprocess", type=Path, required=True, help="Folder written by preprocess, with a folder per subject.")
@click.option("--exclude", multiple=True, help="Name of a subject to leave out (repeatable).")
@click.option("--failed", multiple=True, help="Name of a subject whose preprocessing failed (repeatable).")
@click.option("--folds", type=int, required=True, help="Number of folds; 1: one model and no cross-validation.")
@click.option("--test-percent", type=float, required=True, help="Percentage of patients held out from every model.")
@click.option("--file", required=True, help="Table with the folds of subjects or patients, or nothing: draw the folds.")
@click.option("--by", required=True, help="Covariate of which each value is one fold, or nothing: draw the folds.")
@click.option("--strict", type=bool, required=True, help="true: stop with an error if a subject is excluded.")
@click.option(
    "--model",
    "models",
    type=OPTIONAL,
    callback=finished_models,
    multiple=True,
    help="model.keras or bundle of a finished model that is to segment all subjects (repeatable): nobody is trained "
    "on, and the options on folds are not used.",
)
@click.option("--seed", type=int, required=True, help="Seed for drawing the folds.")
@click.option("--output", type=TABLE, required=True, help="Cohort table to write.")
def split(subjects, preprocess, exclude, failed, folds, test_percent, file, by, strict, models, seed, output):
    table = read_table(subjects, ("subject", "patient", "labels"))
    left_out = dict.fromkeys(failed, "failed") | dict.fromkeys(exclude, "exclude")
    names = [row["subject"] for row in table if row["subject"] not in left_out]
    scans = {name: read_json(preprocess / name / "scan.json") for name in names}
    if strict:
        insist_on_all(scans, {row["subject"]: row.get(NOTES, "") for row in table})
    given = given_folds(table, set(exclude), file, by) if file or by else None
    seen = seen_subjects(scans, trained_voxels(models)) if models else None
    rows = cohort_rows(table, scans, left_out, folds, test_percent, seed, given, seen)
    covariates = covariate_columns(table, scans)
    write_table(output, COHORT_COLUMNS + covariates, rows, dict.fromkeys(covariates, COVARIATE))
    for row in rows:
        if row["verdict"] != "included":
            click.echo(f"{row['subject']} is {row['verdict']}: {row['reason']}")
    unlabelled = [row["subject"] for row in rows if row["fold"] == "train" and row["has_mask"] == "no"]
    if unlabelled and not models:
        click.echo(
            f"{len(unlabelled)} subjects without a mask are not predicted, because the model learns from another visit "
            f"of the same patient: {', '.join(unlabelled[:10])}; set split: folds to 2 or more to predict them"
        )
    included = [row for row in rows if row["verdict"] != "excluded"]
    known = [row for row in included if row["fold"] == "train"] if models else []
    said = f", of which {len(known)} are known to the models and not predicted" if known else ""
    click.echo(f"{len(included)} of {counted(rows)} included{said}")


if __name__ == "__main__":
    split()
