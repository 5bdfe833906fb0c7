"""Score one predicted segmentation against the true one, on the scan's own grid."""

from pathlib import Path

import click
import numpy as np

from glioseg.checks import AFFINE_TOLERANCE
from glioseg.commands import FILE, NEW, Command
from glioseg.labels import DIALECTS, to_classes
from glioseg.metrics import score_regions
from glioseg.outputs import write_json
from glioseg.volumes import read_volume, spacing_mm


@click.command(cls=Command)
@click.option("--subject", required=True, help="Name of the subject, as it stands in the output.")
@click.option("--prediction", required=True, type=FILE, help="NIfTI file of predicted label values.")
@click.option("--truth", required=True, type=FILE, help="NIfTI file of true label values, on the same grid.")
@click.option("--labels", required=True, type=click.Choice(DIALECTS), help="What the label values of both files mean.")
@click.option("--output", required=True, type=NEW, help="JSON file of the scores.")
def evaluate(subject: str, prediction: Path, truth: Path, labels: str, output: Path) -> None:
    """Write Dice, HD95, sensitivity, specificity and volumes of WT, TC and ET."""
    true_classes, affine = _read(subject, truth, labels)
    predicted_classes, predicted_affine = _read(subject, prediction, labels)
    same = true_classes.shape == predicted_classes.shape
    if not same or not np.allclose(affine, predicted_affine, rtol=0, atol=AFFINE_TOLERANCE):
        raise ValueError(
            f"{subject}: expected truth and prediction on one grid, found {_grid(truth, true_classes, affine)} and "
            f"{_grid(prediction, predicted_classes, predicted_affine)}; predict this subject again from its own scan"
        )
    spacing = spacing_mm(affine)
    regions = score_regions(true_classes, predicted_classes, spacing)
    write_json(output, {"subject": subject, "spacing_mm": list(spacing), "regions": regions})


def _read(subject: str, path: Path, labels: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        volume, affine = read_volume(path)
        return to_classes(volume, labels), affine
    except ValueError as error:
        raise ValueError(f"{subject}: {path} cannot be scored: {error}") from error


def _grid(path: Path, array: np.ndarray, affine: np.ndarray) -> str:
    return f"{path} with shape {array.shape} and affine {np.round(affine, 3).tolist()}"


if __name__ == "__main__":
    evaluate()
