"""Score a predicted label map against the true one on the scan's own grid: each region, and each tissue class."""

from pathlib import Path

import click
import numpy as np

from glioseg.evaluate.calibration import calibration
from glioseg.evaluate.metrics import score_classes, score_regions
from glioseg.files import write_json
from glioseg.labels import DIALECTS, REGIONS, classes_of, known_classes, region, regions_of, to_classes
from glioseg.preprocess.checks import affines, shapes
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import spacing_mm, to_lps
from glioseg.workflow.commands import FILE, NEW, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the subject, as it stands in the output.")
@click.option("--prediction", required=True, type=FILE, help="NIfTI file of predicted label values.")
@click.option("--truth", required=True, type=(FILE, click.IntRange(0)), help="File of true ones, and volume in it.")
@click.option("--labels", required=True, type=click.Choice(DIALECTS), help="What the label values of both files mean.")
@click.option("--forced", required=True, type=bool, help="Score it whatever the checks say, as preprocess took it.")
# Not required: they are kept only where that was asked for.
@click.option(
    "--probability",
    "probabilities",
    type=(click.Choice(REGIONS), FILE),
    multiple=True,
    help="A region, and the map of its probability; give it for each.",
)
@click.option("--output", required=True, type=NEW, help="JSON file of the scores.")
def evaluate(
    subject: str,
    prediction: Path,
    truth: tuple[Path, int],
    labels: str,
    forced: bool,
    probabilities: tuple[tuple[str, Path], ...],
    output: Path,
) -> None:
    true_classes, affine = _read(subject, *truth, labels, forced)
    predicted_classes, predicted_affine = _read(subject, prediction, 0, labels, forced)
    apart = shapes({"truth": true_classes.shape, "prediction": predicted_classes.shape})
    if not forced:
        apart = apart or affines({"truth": affine, "prediction": predicted_affine})
    if apart:
        raise ValueError(
            f"{subject}: {prediction} is not on the grid of {truth[0]} ({apart}); predict this subject anew"
        )
    spacing = spacing_mm(predicted_affine)
    regions = score_regions(true_classes, predicted_classes, spacing, regions_of([labels]))
    classes = score_classes(true_classes, predicted_classes, spacing, classes_of([labels])[1:])
    bins = {name: _calibration(subject, path, region(true_classes, name), forced) for name, path in probabilities}
    scores = {"subject": subject, "spacing_mm": list(spacing), "regions": regions, "classes": classes}
    write_json(output, {**scores, "calibration": bins})


def _read(subject: str, path: Path, volume: int, labels: str, forced: bool) -> tuple[np.ndarray, np.ndarray]:
    try:
        voxels, affine = read_volume(path, volume)
        if forced:
            voxels, affine = to_lps(voxels, affine)
            return known_classes(voxels, labels), affine
        return to_classes(voxels, labels), affine
    except ValueError as error:
        raise ValueError(f"{subject}: {path} cannot be scored: {error}") from error


def _calibration(subject: str, path: Path, truth: np.ndarray, forced: bool) -> dict[str, list]:
    try:
        voxels, affine = read_volume(path)
        return calibration(to_lps(voxels, affine)[0] if forced else voxels, truth)
    except ValueError as error:
        raise ValueError(f"{subject}: {path}: {error}; predict this subject anew") from error


if __name__ == "__main__":
    evaluate()
