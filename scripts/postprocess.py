"""Apply what tune_postprocess chose to a segmentation: thresholds of regions, those for small tumor, a temperature.

The temperature calibrates the maps of the regions and the uncertainty. It changes no segmentation: the thresholds are
those of the probabilities as the networks predicted them.
"""

from pathlib import Path

import click

from glioseg.files import read_json, write_json
from glioseg.labels import DIALECTS, EVERYWHERE, to_classes, to_values, volumes_ml
from glioseg.model_files import TEMPERATURE, by_region
from glioseg.predict.calibrate.subject import calibrate_subject
from glioseg.predict.decide import cut_again
from glioseg.predict.postprocess import drop_small
from glioseg.volumes.nifti import open_nifti, take_volume, write_label_map
from glioseg.volumes.orientation import spacing_mm, voxel_ml
from glioseg.workflow.commands import FILE, FOLDER, JSON, LABEL_MAP, NEW_FOLDER, Command


@click.command(cls=Command, help=__doc__)
@click.option("--prediction", type=FILE, required=True, help="Label map as the networks predicted it.")
@click.option("--labels", type=click.Choice(DIALECTS), required=True, help="Label dialect of the label map.")
@click.option("--volumes", type=FILE, required=True, help="JSON file of thresholds written by tune_postprocess.")
@click.option("--maps", type=FOLDER, help="Folder of the regions' maps, if thresholds of regions were tried on them.")
@click.option(
    "--uncalibrated",
    type=(FOLDER, FILE),
    help="Folder of all maps, and the uncertainty, that predict wrote (optional).",
)
@click.option("--map-folder", type=NEW_FOLDER, help="With --uncalibrated: folder to write the calibrated maps into.")
@click.option("--uncertainty", type=JSON, help="With --uncalibrated: JSON file to write, the calibrated uncertainty.")
@click.option("--measured", type=JSON, required=True, help="JSON file to write: the volumes of the regions.")
@click.option("--output", type=LABEL_MAP, required=True, help="Label map to write.")
def postprocess(
    prediction: Path,
    labels: str,
    volumes: Path,
    maps: Path | None,
    uncalibrated: tuple[Path, Path] | None,
    map_folder: Path | None,
    uncertainty: Path | None,
    measured: Path,
    output: Path,
) -> None:
    found = open_nifti(prediction)
    values, affine = take_volume(found, 0)
    classes = to_classes(values, labels)
    chosen, size_ml = read_json(volumes), voxel_ml(spacing_mm(affine))
    found_again = classes
    if maps:
        regions = {name: take_volume(open_nifti(maps / f"{name}.nii.gz"), 0)[0] for name in EVERYWHERE}
        found_again = cut_again(classes, regions, by_region(chosen))
    kept = drop_small(found_again, size_ml, chosen["smallest_enhancing_ml"], chosen["smallest_component_ml"])
    if uncalibrated:
        folder, facts = uncalibrated
        again = calibrate_subject(folder, map_folder, found_again, chosen[TEMPERATURE])
        write_json(uncertainty, read_json(facts) | again)
    write_json(measured, {"volumes_ml": volumes_ml(kept, labels, size_ml)})
    write_label_map(output, to_values(kept, labels), affine, found.forms)
    click.echo(f"{prediction.name}: {int((kept != classes).sum())} voxels changed")


if __name__ == "__main__":
    postprocess()
