"""Segment one subject: a label map on the scan's own grid, in the data set's own label values."""

from pathlib import Path

import click

from glioseg.files import read_array, read_json, write_json
from glioseg.labels import region
from glioseg.predict.segment import MAPS, PredictSettings, segment_image, write_segmentation
from glioseg.volumes.orientation import voxel_ml
from glioseg.workflow.commands import FILE, FOLDER, NEW, Command


@click.command(cls=Command, help=__doc__)
@click.option("--scan", type=FOLDER, required=True, help="The subject's folder of preprocess.")
@click.option("--model", "models", type=FILE, multiple=True, required=True, help="Their outputs are averaged.")
@click.option("--labels", required=True, help="Dialect of the label values.")
@click.option("--overlap", type=float, required=True, help="Share of the window that neighbors have in common.")
@click.option("--flips", multiple=True, help="x, y or z: averaged over flips along it, too.")
@click.option("--runtime", required=True, help="openvino, tensorflow, or auto.")
@click.option("--smallest-enhancing-ml", type=float, required=True, help="Less of it in all becomes necrosis.")
@click.option("--smallest-component-ml", type=float, required=True, help="Connected tumor of less becomes background.")
@click.option("--maps", type=click.Choice(MAPS), multiple=True, help="Maps from 0 to 1 to write beside it.")
@click.option("--threads", type=int, required=True)
@click.option("--map-folder", type=NEW, required=True, help="Folder to write the maps into.")
@click.option("--uncertainty", type=NEW, required=True, help="JSON file to write: how sure the segmentation is.")
@click.option("--output", type=NEW, required=True, help="Label map to write.")
def predict(
    scan: Path, models: tuple[Path, ...], labels: str, map_folder: Path, uncertainty: Path, output: Path, **how
):
    facts = read_json(scan / "scan.json")
    image = read_array(scan / "image.npy", 4)
    found = segment_image(image, facts, models, PredictSettings(**how))
    write_segmentation(found, facts, labels, map_folder, output)
    write_json(uncertainty, {"subject": facts["subject"], "models": len(models), **found.uncertainty})
    voxels = int(region(found.classes, "WT").sum())
    volume_ml = voxels * voxel_ml(facts["spacing_mm"])
    words = f"uncertainty {found.uncertainty['uncertainty']:.3f}"
    click.echo(f"{facts['subject']}: {voxels} tumor voxels, {volume_ml:.1f} ml, {words} ({found.runtime})")


if __name__ == "__main__":
    predict()
