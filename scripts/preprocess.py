"""Check one subject's scans and write them as arrays for the network, or record why they cannot be used."""

import hashlib
import json

import click
import numpy as np

from glioseg.files import read_json, write_json
from glioseg.labels import DIALECTS
from glioseg.preprocess.scan import preprocess_scan
from glioseg.workflow.commands import FILE, IMAGES, MASK_FILE, NEW_FOLDER, Command


def crop_box(text: str) -> str | list[list[int]]:
    """Return the word "brain" as it is, and any other text parsed as [[low, high], [low, high], [low, high]]."""
    return text if text == "brain" else json.loads(text)


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the subject.")
@IMAGES
@MASK_FILE
@click.option(
    "--modalities", multiple=True, required=True, help="A modality (repeatable, in the order of the channels)."
)
@click.option("--labels", type=click.Choice(DIALECTS), required=True, help="Label dialect of the mask.")
@click.option("--spacing-mm", type=float, required=True, help="Voxel size (mm) to resample to.")
@click.option("--crop", type=crop_box, required=True, help='Part to keep: "brain", or three voxel ranges as JSON.')
@click.option("--normalization", required=True, help="zscore, zscore_robust, percentile, minmax or minmax_slice.")
@click.option("--missing", required=True, help="If a modality is missing: exclude the subject, or use zeros.")
@click.option("--min-tumor-percent", type=float, required=True, help="Exclude scans with less tumor (% of the crop).")
@click.option("--forced", type=bool, required=True, help="true: include the subject even if a check fails.")
@click.option(
    "--tissues", type=FILE, help="Tissue maps of a phantom, which are written as tissues.npy. Default: there are none."
)
@click.option(
    "--registered",
    type=FILE,
    help="register.json of the series, which says what was refused. Default: none.",
)
@click.option(
    "--output", type=NEW_FOLDER, required=True, help="Folder to write scan.json, image.npy and mask.npy into."
)
def preprocess(subject, images, mask, tissues, registered, output, **settings):
    files = {modality: (path, volume) for modality, path, volume in images}
    scan, arrays = preprocess_scan(subject, files, mask, settings, read_json(registered) if registered else None)
    if tissues and arrays:
        # Imported here because the anatomy of phantoms takes longer to load than a scan needs otherwise.
        from glioseg.preprocess.tissues import cut_tissues

        arrays["tissues"] = cut_tissues(tissues, scan)
    output.mkdir(parents=True, exist_ok=True)
    # Delete the files of an earlier run first. scan.json is written last and marks the arrays as complete, so only
    # write_json waits for the disk.
    for name in ("scan.json", "image.npy", "mask.npy", "tissues.npy"):
        (output / name).unlink(missing_ok=True)
    for name, array in arrays.items():
        np.save(output / f"{name}.npy", array)
    # Training and prediction are repeated if these change (docs/rerun.md).
    scan["arrays"] = {name: hashlib.sha256(np.ascontiguousarray(array)).hexdigest() for name, array in arrays.items()}
    write_json(output / "scan.json", scan)
    click.echo(f"{subject}: {scan['verdict']}" + (f": {scan['reason']}" if scan["reason"] else ""))


if __name__ == "__main__":
    preprocess()
