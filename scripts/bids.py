"""Describe the segmentations of a study as a data set of BIDS derivatives: what it is, its participants, its labels."""

from pathlib import Path

import click

from glioseg.export.derivatives import participants_of, write_data_set
from glioseg.files import read_table
from glioseg.labels import DIALECTS
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.split.models import predicted_subjects
from glioseg.workflow.commands import FILE, NEW_FOLDER, OPTIONAL, Command
from glioseg.workflow.failures import PREDICTING, failed_subjects, read_failures
from glioseg.workflow.home import version


@click.command(cls=Command, help=__doc__)
@click.option("--cohort", type=FILE, required=True, help="Cohort table written by split.")
@click.option(
    "--failures", multiple=True, type=OPTIONAL, help="Table of failed jobs, whose subjects are left out (repeatable)."
)
@click.option(
    "--labels",
    type=click.Choice(DIALECTS),
    multiple=True,
    required=True,
    help="Label dialect of the segmentations (repeatable: then each subject has its own table of labels).",
)
@click.option(
    "--source",
    "sources",
    type=OPTIONAL,
    multiple=True,
    help="Data set of the scans, whose DOI is stated if its dataset_description.json has it (repeatable).",
)
@click.option("--output", type=NEW_FOLDER, required=True, help="Folder of the data set.")
def bids(
    cohort: Path, failures: tuple[Path, ...], labels: tuple[str, ...], sources: tuple[Path, ...], output: Path
) -> None:
    rows = read_table(cohort, COHORT_COLUMNS)
    predicted = set(predicted_subjects(rows))
    patients = {row["subject"]: row["patient"] for row in rows if row["subject"] in predicted}
    left_out = failed_subjects(read_failures(failures), *PREDICTING, "bids_subject")
    write_data_set(output, participants_of(patients, left_out), labels, sources, version())


if __name__ == "__main__":
    bids()
