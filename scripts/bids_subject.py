"""Copy the segmentation of one subject, and probability maps, to where a data set of BIDS derivatives has them."""

from pathlib import Path

import click

from glioseg.export.derivatives import write_subject
from glioseg.labels import DIALECTS, EVERYWHERE
from glioseg.workflow.commands import FILE, NEW_FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the subject.")
@click.option("--name", required=True, help="Its name in BIDS, such as sub-01 or sub-01_ses-a.")
@click.option("--prediction", type=FILE, required=True, help="Predicted label map.")
@click.option(
    "--probability",
    "probabilities",
    type=(click.Choice(EVERYWHERE), FILE),
    multiple=True,
    help="A region (WT, TC or ET) and its probability map (repeatable).",
)
@click.option(
    "--own-labels",
    type=click.Choice(DIALECTS),
    help="Label dialect, if the subject needs a table of labels of its own.",
)
@click.option("--output", type=NEW_FOLDER, required=True, help="Folder anat of the subject in the data set.")
def bids_subject(
    subject: str,
    name: str,
    prediction: Path,
    probabilities: tuple[tuple[str, Path], ...],
    own_labels: str | None,
    output: Path,
) -> None:
    write_subject(str(output / name), subject, prediction, dict(probabilities), own_labels)


if __name__ == "__main__":
    bids_subject()
