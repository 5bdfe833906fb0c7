"""Choose thresholds and the temperature of the probabilities on held-out subjects.

The thresholds of regions, and those for removing small tumor, are chosen by Dice; the temperature by the Brier score.
Those for the subjects of one fold are chosen on the subjects of all other folds, each predicted by a model not
trained on it. Test subjects are in no fold; their thresholds are chosen on all folds ("all").
"""

from pathlib import Path

import click
import numpy as np

from glioseg.files import read_json, read_table, write_json, write_table
from glioseg.labels import EVERYWHERE, MASK, known_classes, to_classes
from glioseg.layouts.folders import File
from glioseg.layouts.table import listed_files
from glioseg.model_files import CHOSEN, CUTS, TEMPERATURE, by_region
from glioseg.predict.calibrate.temperature import count_values, tune_temperature
from glioseg.predict.decide import cut_again
from glioseg.predict.tune_postprocess import TUNING_COLUMNS, count, cut_all, on_grid, tune, tune_regions
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.split.models import tuning_subjects
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import voxel_ml
from glioseg.workflow.commands import (
    FILE,
    FOLDER,
    JSON,
    OPTIONAL,
    PROBABILITY,
    SUBJECTS,
    TABLE,
    TEMPERATURES,
    VOLUME_ML,
    Command,
)
from glioseg.workflow.failures import failed_subjects, read_failures


@click.command(cls=Command, help=__doc__)
@click.option("--fold", required=True, help="The fold to choose thresholds for, which is left out; or all.")
@click.option("--cohort", type=FILE, required=True, help="Cohort table written by split.")
@SUBJECTS
@click.option("--preprocess", type=FOLDER, required=True, help="Folder written by preprocess.")
@click.option("--predictions", type=FOLDER, required=True, help="Folder of label maps as the networks predicted them.")
@click.option("--configured", type=(VOLUME_ML,) * 2, required=True, help="Both thresholds as configured in predict.")
@click.option(
    "--configured-regions", type=(PROBABILITY,) * 3, required=True, help="Thresholds of WT, TC and ET, likewise."
)
@click.option(
    "--configured-temperature", type=TEMPERATURES, required=True, help="Temperature of the probabilities, likewise."
)
@click.option(
    "--maps", type=FOLDER, help="Folder of the regions' maps, which thresholds and temperatures are tried on."
)
@click.option(
    "--failures", multiple=True, type=OPTIONAL, help="Table of failed jobs, whose subjects are left out (repeatable)."
)
@click.option(
    "--smallest-enhancing-ml",
    type=VOLUME_ML,
    multiple=True,
    help="Threshold to try for the total of enhancing tumor, in ml (repeatable).",
)
@click.option(
    "--smallest-component-ml",
    type=VOLUME_ML,
    multiple=True,
    help="Threshold to try for connected components, in ml (repeatable).",
)
@click.option(
    "--region-thresholds",
    type=PROBABILITY,
    multiple=True,
    help="Threshold to try for the probability of each region, in its map (repeatable).",
)
@click.option(
    "--temperatures",
    type=TEMPERATURES,
    multiple=True,
    help="Temperature to try for the probabilities of the regions, in their maps (repeatable).",
)
@click.option("--table", type=TABLE, required=True, help="Table to write: the mean Dice of every value tried.")
@click.option("--output", type=JSON, required=True, help="JSON file to write: the chosen values.")
def tune_postprocess(
    fold,
    cohort,
    subjects,
    preprocess,
    predictions,
    configured,
    configured_regions,
    configured_temperature,
    maps,
    failures,
    smallest_enhancing_ml,
    smallest_component_ml,
    region_thresholds,
    temperatures,
    table,
    output,
):
    left_out = failed_subjects(read_failures(failures), "predict")
    included = read_table(cohort, COHORT_COLUMNS)
    names = [name for name in tuning_subjects(included, fold) if name not in left_out]
    patient_of = {row["subject"]: row["patient"] for row in included}
    patients = [patient_of[name] for name in names]
    scans = {name: read_json(preprocess / name / "scan.json") for name in names}
    files = listed_files(subjects, names, [MASK])
    sizes_ml = {name: voxel_ml(scan["spacing_mm"]) for name, scan in scans.items()}
    regions, tried = dict(zip(CUTS, configured_regions, strict=True)), []
    if region_thresholds:
        usual = [on_grid(value) for value in configured_regions]
        values = sorted({*usual, *map(on_grid, region_thresholds)})
        cuts = (
            cut_all(_maps(maps / name), _truth(files[name][MASK], scan), sizes_ml[name], values)
            for name, scan in scans.items()
        )
        regions, tried = tune_regions(cuts, values, usual, configured[0], patients)
    counts = (
        count_values(_maps(maps / name), _truth(files[name][MASK], scan))
        for name, scan in (scans.items() if temperatures else ())
    )
    temperature, tried_temperatures = tune_temperature(
        counts, temperatures, configured_temperature, patients if temperatures else None
    )
    cut = maps if region_thresholds else None
    cases = (
        count(
            _predicted(name, scan, predictions, cut, regions),
            _truth(files[name][MASK], scan),
            sizes_ml[name],
        )
        for name, scan in scans.items()
    )
    sizes, rows = tune(cases, smallest_enhancing_ml, smallest_component_ml, configured, patients)
    chosen = sizes | regions | {TEMPERATURE: temperature}
    write_table(table, TUNING_COLUMNS, rows)
    tries = {"tried_regions": tried, "tried_temperatures": tried_temperatures}
    write_json(output, chosen | {"fold": fold, "subjects": names, **tries})
    words = ", ".join(f"{name} {chosen[name]:.3g}" for name in CHOSEN)
    gain = next(row["gain"] for row in rows if row["chosen"])
    click.echo(f"{words} (mean Dice of {len(names)} subjects {gain})")


def _truth(mask: File, scan: dict) -> np.ndarray:
    return known_classes(read_volume(*mask)[0], scan["labels"])


def _maps(folder: Path) -> dict[str, np.ndarray]:
    return {name: read_volume(folder / f"{name}.nii.gz")[0] for name in EVERYWHERE}


def _predicted(name: str, scan: dict, predictions: Path, maps: Path | None, regions: dict[str, float]) -> np.ndarray:
    values, _ = read_volume(predictions / f"{name}.nii.gz")
    classes = to_classes(values, scan["labels"])
    return cut_again(classes, _maps(maps / name), by_region(regions)) if maps else classes


if __name__ == "__main__":
    tune_postprocess()
