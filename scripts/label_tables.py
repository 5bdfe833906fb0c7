"""Write the names and colors of the values in label maps, for ITK-SNAP and for 3D Slicer."""

from pathlib import Path

import click

from glioseg.files import write_text
from glioseg.labels import DIALECTS
from glioseg.volumes.label_tables import itk_snap, slicer
from glioseg.workflow.commands import Command, Output


@click.command(cls=Command, help=__doc__)
@click.option("--labels", type=click.Choice(DIALECTS), required=True, help="Label dialect of the label maps.")
@click.option(
    "--itk-snap",
    "descriptions",
    type=Output("label descriptions", ".txt"),
    required=True,
    help="File of label descriptions to write for ITK-SNAP.",
)
@click.option(
    "--slicer", "colors", type=Output("color table", ".ctbl"), required=True, help="Color table to write for 3D Slicer."
)
def label_tables(labels: str, descriptions: Path, colors: Path) -> None:
    write_text(descriptions, itk_snap(labels))
    write_text(colors, slicer(labels))


if __name__ == "__main__":
    label_tables()
