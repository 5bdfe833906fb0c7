"""Segment one subject: a label map on the scan's own grid, in the data set's own label values."""

from pathlib import Path

import click

from glioseg.files import read_array, read_json, write_json
from glioseg.labels import DIALECTS, volumes_ml
from glioseg.predict.model_facts import insist_on_unseen
from glioseg.predict.segment import MAPS, PredictSettings, segment_image, write_segmentation
from glioseg.volumes.orientation import voxel_ml
from glioseg.workflow.commands import FOLDER, JSON, LABEL_MAP, MODELS, NEW_FOLDER, PROBABILITY, TEMPERATURES, Command


@click.command(cls=Command, help=__doc__)
@click.option("--scan", type=FOLDER, required=True, help="The subject's folder written by preprocess.")
@MODELS
@click.option("--labels", type=click.Choice(DIALECTS), required=True, help="Label dialect to write.")
@click.option("--overlap", type=float, required=True, help="Share of a window that overlaps with its neighbors.")
@click.option("--flips", multiple=True, help="x, y or z: also predict the image flipped along this axis (repeatable).")
@click.option("--runtime", required=True, help="Software that computes the prediction: openvino, tensorflow or auto.")
@click.option(
    "--smallest-enhancing-ml",
    type=float,
    required=True,
    help="A smaller total of enhancing tumor (ml) becomes necrosis.",
)
@click.option("--smallest-component-ml", type=float, required=True, help="Smaller components (ml) become background.")
@click.option(
    "--threshold-wt",
    type=PROBABILITY,
    required=True,
    help="Probability above which a voxel is in WT, of networks that predict regions.",
)
@click.option(
    "--threshold-tc",
    type=PROBABILITY,
    required=True,
    help="Probability above which a voxel is in TC, of networks that predict regions.",
)
@click.option(
    "--threshold-et",
    type=PROBABILITY,
    required=True,
    help="Probability above which a voxel is in ET, of networks that predict regions.",
)
@click.option(
    "--temperature",
    type=TEMPERATURES,
    required=True,
    help="Temperature that calibrates the probabilities of WT, TC and ET; 1 changes nothing.",
)
@click.option(
    "--maps", type=click.Choice(MAPS), multiple=True, help="Map with values from 0 to 1 to write (repeatable)."
)
@click.option("--threads", type=int, required=True, help="Number of CPU threads.")
@click.option("--map-folder", type=NEW_FOLDER, required=True, help="Folder to write the maps into.")
@click.option(
    "--uncertainty",
    type=JSON,
    required=True,
    help="JSON file to write: the uncertainty of the segmentation, and the volumes of its regions.",
)
@click.option("--output", type=LABEL_MAP, required=True, help="Label map to write.")
def predict(
    scan: Path, models: tuple[Path, ...], labels: str, map_folder: Path, uncertainty: Path, output: Path, **how
):
    facts = read_json(scan / "scan.json")
    image = read_array(scan / "image.npy", 4)
    insist_on_unseen(models, facts["subject"], facts["hashes"])
    found = segment_image(image, facts, models, PredictSettings(**how))
    write_segmentation(found, facts, labels, map_folder, output)
    volumes = volumes_ml(found.classes, labels, voxel_ml(facts["spacing_mm"]))
    of_subject = {"subject": facts["subject"], "models": len(models), "volumes_ml": volumes}
    write_json(uncertainty, of_subject | found.uncertainty)
    words = f"uncertainty {found.uncertainty['uncertainty']:.3f}"
    click.echo(f"{facts['subject']}: {volumes['WT']:.1f} ml of tumor, {words} ({found.runtime})")


if __name__ == "__main__":
    predict()
