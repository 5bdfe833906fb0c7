"""Write a subject's label map on the grid of each of its series, as they were before they were registered.

A series of DICOM also gets a DICOM segmentation object, which repeats the patient and the study of the series.
"""

from pathlib import Path

import click

from glioseg.files import read_json
from glioseg.labels import DIALECTS
from glioseg.register.back import Dicom, write_on_series
from glioseg.volumes.nifti import read_volume
from glioseg.workflow.commands import FILE, FOLDER, MODELS, NEW_FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.option("--prediction", type=FILE, required=True, help="Label map in the common space.")
@click.option("--registered", type=FILE, required=True, help="register.json of the subject.")
@click.option("--labels", type=click.Choice(DIALECTS), required=True, help="Label dialect of the label map.")
@MODELS
@click.option(
    "--dicom",
    type=(str, FOLDER),
    multiple=True,
    help="Modality, and the folder of DICOM slices that it came as (repeatable). Default: none.",
)
@click.option(
    "--output",
    type=NEW_FOLDER,
    required=True,
    help="Folder to write MODALITY.nii.gz of each series into, and MODALITY.dcm of those of DICOM.",
)
def own_grids(prediction: Path, registered: Path, labels: str, models, dicom, output: Path) -> None:
    of_dicom = Dicom(dict(dicom), labels, models)
    said = write_on_series(output, *read_volume(prediction), read_json(registered), of_dicom)
    click.echo(f"{output}: {'; '.join(said)}")


if __name__ == "__main__":
    own_grids()
