"""Turn one subject's scans into the arrays that the network reads, or say why they can't be used."""

import json
from pathlib import Path

import click
import numpy as np

from glioseg.files import write_json
from glioseg.preprocess.scan import preprocess_scan
from glioseg.workflow.commands import Command


def crop_box(text: str) -> str | list[list[int]]:
    """The word "brain", or [[low, high], [low, high], [low, high]]."""
    return text if text == "brain" else json.loads(text)


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the subject.")
@click.option("--image", "images", type=(str, Path, int), multiple=True, help="Modality, its file, and volume of that.")
@click.option("--mask", type=(Path, int), help="The expert's label map and its volume, where there is one.")
@click.option("--modalities", multiple=True, required=True, help="The channels, in their order.")
@click.option("--labels", required=True, help="Dialect of the label values.")
@click.option("--spacing-mm", type=float, required=True, help="Voxel size to resample to.")
@click.option("--crop", type=crop_box, required=True, help='"brain", or three voxel ranges as JSON.')
@click.option("--normalization", required=True)
@click.option("--missing", required=True, help="exclude a subject that lacks a modality, or take it with zeros.")
@click.option("--min-tumor-percent", type=float, required=True, help="Exclude a scan with less of its crop labelled.")
@click.option("--forced", type=bool, required=True, help="Take the subject whatever the checks say.")
@click.option("--output", type=Path, required=True, help="Folder for scan.json, image.npy and mask.npy.")
def preprocess(subject, images, mask, output, **settings):
    files = {modality: (path, volume) for modality, path, volume in images}
    scan, arrays = preprocess_scan(subject, files, mask, settings)
    output.mkdir(parents=True, exist_ok=True)
    # What an earlier run left. scan.json comes last and vouches for the arrays, so only it waits for the disk.
    for name in ("scan.json", "image.npy", "mask.npy"):
        (output / name).unlink(missing_ok=True)
    for name, array in arrays.items():
        np.save(output / f"{name}.npy", array)
    write_json(output / "scan.json", scan)
    click.echo(f"{subject}: {scan['verdict']}" + (f": {scan['reason']}" if scan["reason"] else ""))


if __name__ == "__main__":
    preprocess()
