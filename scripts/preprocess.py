"""Turn one subject's scans into the arrays that the network reads, or say why they can't be used."""

import json
from pathlib import Path

import click
import numpy as np

from glioseg.commands import Command
from glioseg.outputs import whole, write_json
from glioseg.preprocessing import preprocess_scan


def crop_box(text: str) -> str | list[list[int]]:
    """The word "brain", or [[low, high], [low, high], [low, high]]."""
    return text if text == "brain" else json.loads(text)


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True)
@click.option("--image", "images", type=(str, Path), multiple=True, help="Modality and its file; once per modality.")
@click.option("--mask", type=Path, help="The expert's label map, where there is one.")
@click.option("--modalities", multiple=True, required=True, help="The channels, in their order.")
@click.option("--labels", required=True, help="Dialect of the label values.")
@click.option("--spacing-mm", type=float, required=True, help="Voxel size to resample to.")
@click.option("--crop", type=crop_box, required=True, help='"brain", or three voxel ranges as JSON.')
@click.option("--normalization", required=True)
@click.option("--min-tumor-percent", type=float, required=True, help="Exclude a scan with less of its crop labelled.")
@click.option("--output", type=Path, required=True, help="Folder for scan.json, image.npy and mask.npy.")
def main(subject, images, mask, output, **settings):
    scan, arrays = preprocess_scan(subject, dict(images), mask, settings)
    output.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        with whole(output / f"{name}.npy") as partial:
            np.save(partial, array)
    write_json(output / "scan.json", scan)
    click.echo(f"{subject}: {scan['verdict']}" + (f": {scan['reason']}" if scan["reason"] else ""))


if __name__ == "__main__":
    main()
