"""Show what is recognized in data sets: layout, label dialect, subjects, modalities, masks and missing files.

FOLDERS are folders of data sets, or tables that list the files. With --dicom, a table of series is proposed instead.
"""

import json
from pathlib import Path

import click

from glioseg.files import write_table
from glioseg.labels import OF_PHANTOMS
from glioseg.layouts import dicom
from glioseg.layouts.describe import describe_source
from glioseg.layouts.find_subjects import joined, phantom_subjects, read_source, registered_subjects
from glioseg.layouts.modalities import MODALITIES
from glioseg.layouts.table import described, table_of
from glioseg.workflow.commands import FOLDER, OPTIONAL, TABLE, Command

SOURCE = {"layout": "auto", "labels": "auto", "prefix": ""}


def source_of(text: str) -> dict:
    """Parse a data source given as JSON: its folder, and any values that replace those of `SOURCE`."""
    try:
        source = SOURCE | json.loads(text)
        if set(source) == {"folder", *SOURCE} and all(isinstance(value, str) for value in source.values()):
            return source
    except (ValueError, TypeError):
        pass
    raise click.BadParameter(f"{text} is not a source; expected JSON with folder, and any of {', '.join(SOURCE)}")


@click.command(cls=Command, help=__doc__)
@click.argument("folders", nargs=-1)
@click.option(
    "--source",
    "sources",
    type=source_of,
    multiple=True,
    help="Instead of FOLDERS (repeatable): JSON with folder, and any of layout, labels, prefix.",
)
@click.option(
    "--phantoms",
    type=(str, int, click.Choice(list(OF_PHANTOMS))),
    help="Folder, number and kinds (usual, many or treated) of the phantoms, which need not exist yet. Default: none.",
)
@click.option("--modalities", multiple=True, help="A modality to use (repeatable). Default: all that are found.")
@click.option("--spacing-mm", type=float, default=1.0, show_default=True, help="Voxel size of the disk space estimate.")
@click.option(
    "--notes", type=TABLE, help="Table to write of what was left out, except for the files of subjects. Default: none."
)
@click.option(
    "--registered",
    type=OPTIONAL,
    help="Folder of registered series, whose files the written table lists instead. Default: none.",
)
@click.option(
    "--dicom",
    "patients",
    type=FOLDER,
    help="Instead of FOLDERS: a folder with a folder of DICOM series for each patient, of which a table is proposed.",
)
@click.option("--output", type=TABLE, help="Write the table of subjects and their files, instead of describing them.")
def layouts(folders, sources, phantoms, modalities, spacing_mm, notes, registered, patients, output):
    if patients:
        propose(patients, output)
        return
    sources = [*sources, *(SOURCE | {"folder": folder} for folder in folders)]
    if not sources and not phantoms:
        raise click.UsageError("give the folder of a data set, or a table that lists the files")
    found, errors = [], []

    def wanted(source):
        there = {name for subject in source.subjects.values() for name in subject.files}
        return list(modalities) or [name for name in MODALITIES if name in there]

    for source in sources:
        try:
            found.append(read_source(source, list(modalities), insist=bool(output)))
        except ValueError as error:
            errors.append(str(error))
            continue
        # The notes of subjects are in the table, and split prints them.
        click.echo(
            "".join(f"{note}\n" for note in found[-1].general)
            if output
            else describe_source(source, found[-1], wanted(found[-1]), spacing_mm) + "\n",
            nl=False,
        )
    if errors:
        raise ValueError("\n".join(errors))
    names = list(modalities or MODALITIES)
    subjects = phantom_subjects(*phantoms, names) if phantoms else joined(sources, found, names)
    if registered:
        subjects = registered_subjects(subjects, str(registered))
    if notes:
        write_table(notes, ["note"], [{"note": note} for source in found for note in source.general])
    if output:
        columns, rows = table_of(subjects, names, output.parent)
        write_table(output, columns, rows, described(columns, names))


def propose(folder: Path, output: Path | None) -> None:
    """Describe the DICOM series of patients, and write a table of those that are proposed, to be corrected."""
    found = dicom.propose(folder)
    click.echo(dicom.described(found))
    if output:
        columns, rows = dicom.table_of(found, output.parent)
        write_table(output, columns, rows, described(columns, list(MODALITIES)))
        click.echo(f"{output}: correct it where it is wrong, and give it as data")


if __name__ == "__main__":
    layouts()
