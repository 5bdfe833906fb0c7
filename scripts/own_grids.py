"""Write a subject's label map on the grid of each of its series, as they were before they were registered."""

from pathlib import Path

import click

from glioseg.files import read_json
from glioseg.register.back import label_maps_of_series
from glioseg.volumes.nifti import open_nifti, take_volume, write_label_map
from glioseg.workflow.commands import FILE, NEW_FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.option("--prediction", type=FILE, required=True, help="Label map in the common space.")
@click.option("--registered", type=FILE, required=True, help="register.json of the subject.")
@click.option("--output", type=NEW_FOLDER, required=True, help="Folder to write MODALITY.nii.gz of each series into.")
def own_grids(prediction: Path, registered: Path, output: Path) -> None:
    labels, affine = take_volume(open_nifti(prediction), 0)
    found = label_maps_of_series(labels, affine, read_json(registered))
    for name, label_map in found.items():
        write_label_map(output / f"{name}.nii.gz", *label_map)
    click.echo(f"{output}: {', '.join(found)}")


if __name__ == "__main__":
    own_grids()
