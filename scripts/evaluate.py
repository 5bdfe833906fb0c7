"""Score a predicted label map against the truth, on the scan's own grid, for each region and each tissue class."""

from pathlib import Path

import click
import numpy as np

from glioseg.evaluate.calibration import calibration
from glioseg.evaluate.lesion_table import lesion_facts
from glioseg.evaluate.metrics import score_classes, score_pairs
from glioseg.evaluate.parts.confusion import confusion
from glioseg.evaluate.parts.suspects import contradictions
from glioseg.evaluate.region_pair import region_pairs
from glioseg.files import write_json
from glioseg.labels import DIALECTS, REGIONS, classes_of, known_classes, region, regions_of, to_classes
from glioseg.preprocess.checks import affines, shapes
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import spacing_mm, to_lps
from glioseg.workflow.commands import FILE, JSON, Command


@click.command(cls=Command, help=__doc__)
@click.option("--subject", required=True, help="Name of the subject to write into the output.")
@click.option("--prediction", required=True, type=FILE, help="NIfTI file with the predicted label map.")
@click.option(
    "--truth",
    required=True,
    type=(click.Path(exists=True, path_type=Path), click.IntRange(0)),
    help="File with the truth, and the volume's index.",
)
@click.option("--labels", required=True, type=click.Choice(DIALECTS), help="Label dialect of both files.")
@click.option("--forced", required=True, type=bool, help="true: score the subject even if a check fails.")
# Not required: predict: maps decides which probability maps exist.
@click.option(
    "--probability",
    "probabilities",
    type=(click.Choice(REGIONS), FILE),
    multiple=True,
    help=f"A region ({', '.join(REGIONS)}) and its probability map (repeatable).",
)
@click.option(
    "--uncalibrated",
    type=(click.Choice(REGIONS), FILE),
    multiple=True,
    help=f"A region ({', '.join(REGIONS)}) and its probability map before it was calibrated (repeatable).",
)
@click.option("--output", required=True, type=JSON, help="JSON file of scores to write.")
def evaluate(
    subject: str,
    prediction: Path,
    truth: tuple[Path, int],
    labels: str,
    forced: bool,
    probabilities: tuple[tuple[str, Path], ...],
    uncalibrated: tuple[tuple[str, Path], ...],
    output: Path,
) -> None:
    true_classes, affine = _read(subject, *truth, labels, forced)
    predicted_classes, predicted_affine = _read(subject, prediction, 0, labels, forced)
    difference = shapes({"truth": true_classes.shape, "prediction": predicted_classes.shape})
    if not forced:
        difference = difference or affines({"truth": affine, "prediction": predicted_affine})
    if difference:
        raise ValueError(
            f"{subject}: {prediction} is not on the grid of {truth[0]} ({difference}); predict this subject again"
        )
    spacing = spacing_mm(predicted_affine)
    pairs = region_pairs(true_classes, predicted_classes, spacing, regions_of([labels]))
    lesions = {name: lesion_facts(pair, predicted_affine) for name, pair in pairs.items()}
    tissues = classes_of([labels])
    classes = score_classes(true_classes, predicted_classes, spacing, tissues[1:])
    confused = confusion(true_classes, predicted_classes, spacing, tissues)
    maps = {name: _map(subject, path, forced) for name, path in probabilities}
    bins = {name: _calibration(subject, path, maps[name], region(true_classes, name)) for name, path in probabilities}
    before = {
        name: _calibration(subject, path, _map(subject, path, forced), region(true_classes, name))
        for name, path in uncalibrated
    }
    scores = {"subject": subject, "spacing_mm": list(spacing), "regions": score_pairs(pairs), "classes": classes}
    more = {"lesions": lesions, "confusion": confused, "calibration": bins, "uncalibrated": before}
    more["contradictions"] = contradictions(maps, true_classes, predicted_affine, spacing)
    write_json(output, scores | more)


def _read(subject: str, path: Path, volume: int, labels: str, forced: bool) -> tuple[np.ndarray, np.ndarray]:
    try:
        voxels, affine = read_volume(path, volume)
        if forced:
            voxels, affine = to_lps(voxels, affine)
            return known_classes(voxels, labels), affine
        return to_classes(voxels, labels), affine
    except ValueError as error:
        raise ValueError(f"{subject}: {path} cannot be scored: {error}") from error


def _map(subject: str, path: Path, forced: bool) -> np.ndarray:
    try:
        voxels, affine = read_volume(path)
        return to_lps(voxels, affine)[0] if forced else voxels
    except ValueError as error:
        raise ValueError(f"{subject}: {path}: {error}; predict this subject again") from error


def _calibration(subject: str, path: Path, probabilities: np.ndarray, truth: np.ndarray) -> dict[str, list]:
    try:
        return calibration(probabilities, truth)
    except ValueError as error:
        raise ValueError(f"{subject}: {path}: {error}; predict this subject again") from error


if __name__ == "__main__":
    evaluate()
