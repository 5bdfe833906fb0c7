"""Segment one scan with trained models, without Snakemake, and write a label map.

The scan is checked and preprocessed like the training data of the models, as recorded in their settings.json. Options
that are not given have the values of config.yaml.

\b
    python scripts/segment.py --model results/train/all/model.keras --output seg.nii.gz
        --image flair a.nii.gz --image t1 b.nii.gz --image t1ce c.nii.gz --image t2 d.nii.gz

Scans as they come from a scanner, on grids of their own and with a skull:

\b
    python scripts/segment.py --dicom patient --register auto --strip network --output seg.nii.gz
"""

import os
import tempfile
from pathlib import Path

import click

from glioseg.labels import DIALECTS, volumes_ml
from glioseg.layouts.dicom import propose_one
from glioseg.layouts.folders import stem_of
from glioseg.model_files import models_of
from glioseg.predict.one_scan import find_scan, insist_on_unused, segment_scan, settings_of
from glioseg.predict.runtime import RUNTIMES
from glioseg.predict.segment import MAPS, write_segmentation
from glioseg.predict.sliding_window import AXES
from glioseg.register.back import Dicom, write_on_series
from glioseg.register.one_scan import register_scan
from glioseg.register.subject import MODES
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import voxel_ml
from glioseg.workflow.commands import (
    FOLDER,
    LABEL_MAP,
    LABEL_MAP_OR_FOLDER,
    MODELS_OR_SHIPPED,
    NEW_FOLDER,
    PROBABILITY,
    TEMPERATURES,
    VOLUME_ML,
    Command,
)
from glioseg.workflow.home import defaults, shipped

STARTING_POINT = (
    "no --model was given, so this is the segmentation of a model that learned from synthetic patients alone; it is a "
    "start, to be corrected or to train on from, and no diagnosis"
)
CONFIG, REGISTER = defaults("predict"), defaults("register")
THRESHOLD = "that of the models' study, otherwise {}"


@click.command(cls=Command, help=__doc__, context_settings={"show_default": True})
@MODELS_OR_SHIPPED
@click.option(
    "--image",
    "images",
    type=(str, str),
    multiple=True,
    help="A modality (flair, t1, t1ce, t2, or any name that a layout uses) and its file (repeatable). FILE:2 is the "
    "third volume of a 4-D file. Instead of it: --subject.",
)
@click.option("--subject", type=FOLDER, help="Instead of --image: the folder of one subject in a known layout.")
@click.option(
    "--dicom", type=FOLDER, help="Instead of --image: the folder of one patient, with a folder for each DICOM series."
)
@click.option(
    "--register",
    "mode",
    type=click.Choice(MODES),
    default=REGISTER["mode"],
    help="Whether the series are registered first; auto: if they are on different grids, or a skull is to be removed.",
)
@click.option(
    "--reference", default=REGISTER["reference"], help="Modality that the others are moved to; finest: by voxel size."
)
@click.option("--n4", type=bool, default=REGISTER["n4"], help="true: divide each image by its bias field (N4).")
@click.option(
    "--strip",
    default=REGISTER["strip"],
    help="With --register: none; network, which finds the brain; or a folder with a mask NAME.nii.gz of the brain.",
)
@click.option(
    "--labels",
    type=click.Choice(DIALECTS),
    help="Label dialect to write. Default: the subject's if its layout tells it, otherwise the models'.",
)
@click.option(
    "--overlap",
    type=click.FloatRange(0, 1, max_open=True),
    default=CONFIG["overlap"],
    help="Share of a window that overlaps with its neighbors.",
)
@click.option(
    "--flips",
    type=click.Choice(AXES),
    multiple=True,
    default=CONFIG["flips"],
    show_default=", ".join(CONFIG["flips"]) or "none",
    help="Axis along which the image is also predicted flipped (repeatable).",
)
@click.option("--runtime", type=click.Choice(RUNTIMES), default=CONFIG["runtime"], help="Software that predicts.")
@click.option(
    "--smallest-enhancing-ml",
    type=VOLUME_ML,
    show_default=THRESHOLD.format(CONFIG["smallest_enhancing_ml"]),
    help="A smaller total of enhancing tumor (ml) becomes necrosis.",
)
@click.option(
    "--smallest-component-ml",
    type=VOLUME_ML,
    show_default=THRESHOLD.format(CONFIG["smallest_component_ml"]),
    help="Smaller connected components of tumor (ml) become background.",
)
@click.option(
    "--threshold-wt",
    type=PROBABILITY,
    show_default=THRESHOLD.format(CONFIG["threshold_wt"]),
    help="Probability above which a voxel is in WT, of networks that predict regions.",
)
@click.option(
    "--threshold-tc",
    type=PROBABILITY,
    show_default=THRESHOLD.format(CONFIG["threshold_tc"]),
    help="Probability above which a voxel is in TC, of networks that predict regions.",
)
@click.option(
    "--threshold-et",
    type=PROBABILITY,
    show_default=THRESHOLD.format(CONFIG["threshold_et"]),
    help="Probability above which a voxel is in ET, of networks that predict regions.",
)
@click.option(
    "--temperature",
    type=TEMPERATURES,
    show_default=THRESHOLD.format(CONFIG["temperature"]),
    help="Temperature that calibrates the probabilities of WT, TC and ET; 1 changes nothing.",
)
@click.option(
    "--maps",
    type=click.Choice(MAPS),
    multiple=True,
    help="Map to write next to the label map (repeatable). Default: none.",
)
@click.option("--threads", type=click.IntRange(1), default=len(os.sched_getaffinity(0)), help="Number of CPU threads.")
@click.option(
    "--output",
    type=LABEL_MAP_OR_FOLDER,
    required=True,
    help="Label map to write, on the scan's own grid; or a folder, where it is named after the folder of --subject or "
    "--dicom, otherwise segmentation.nii.gz. Of registered series it lies in the common space, and in the folder "
    "NAME_own_grids there is one on the grid of each series.",
)
def segment(models, images, subject, dicom, labels, output, mode, reference, n4, strip, **how):
    if sum(map(bool, (images, subject, dicom))) != 1:
        raise ValueError("give either --image MODALITY FILE for each modality, or --subject FOLDER, or --dicom FOLDER")
    if not models:
        models = models_of(shipped())
        click.echo(f"warning: {STARTING_POINT}", err=True)
    if not LABEL_MAP.has_ending(output.name):
        place = subject or dicom or Path("segmentation")
        # "." and ".." have no name of their own.
        named = place if place.name.strip(".") else place.resolve()
        output = LABEL_MAP(output / f"{named.name}.nii.gz")
    name = stem_of(output.name)
    folder = NEW_FOLDER(output.with_name(f"{name}_maps"))
    if dicom:
        patient = propose_one(dicom)
        for note in patient.notes:
            click.echo(f"note: {note}", err=True)
        images = list(patient.series.items())
    scan = find_scan(subject or images, models, labels)
    insist_on_unused(output, scan.files)
    series = {name: path for name, (path, _) in scan.files.items() if path.is_dir()}
    settings = {"mode": mode, "reference": reference, "n4": n4, "strip": strip}
    with tempfile.TemporaryDirectory() as place:
        registered = None
        if mode != "never":
            scan, registered = register_scan(name, scan, settings, Path(place))
        facts, found, warnings = segment_scan(name, scan, models, settings_of(how, models), registered)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    write_segmentation(found, facts, scan.labels, folder, output)
    if registered:
        own = NEW_FOLDER(output.with_name(f"{name}_own_grids"))
        said = write_on_series(own, *read_volume(output), registered, Dicom(series, scan.labels, models))
        click.echo(f"{own}: {'; '.join(said)}")
    volume_ml = volumes_ml(found.classes, scan.labels, voxel_ml(facts["spacing_mm"]))["WT"]
    uncertainty = found.uncertainty["uncertainty"]
    click.echo(f"{output}: {volume_ml:.1f} ml of tumor, uncertainty {uncertainty:.3f}, labels {scan.labels}")


if __name__ == "__main__":
    segment()
