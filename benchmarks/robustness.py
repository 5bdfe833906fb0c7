"""Measure the Dice of a finished study's held-out subjects on scans that are worse than the training data.

Each scan is changed after reading, and then preprocessed, predicted and returned to its own grid. With ten or more
subjects, the last column is the share of them whose Dice reaches the bound that the other subjects, as scanned, give
it. Run it from the folder in which the study was run:

\b
    python benchmarks/robustness.py --results results
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

import click  # noqa: E402
import numpy as np  # noqa: E402
import yaml  # noqa: E402
from peers import dice  # noqa: E402
from scipy import ndimage  # noqa: E402

from glioseg.evaluate.uncertainty import dice_bounds  # noqa: E402
from glioseg.files import read_table  # noqa: E402
from glioseg.labels import (  # noqa: E402
    EVERYWHERE,
    MASK,
    known_classes,
    region,
)
from glioseg.layouts.table import listed_files  # noqa: E402
from glioseg.model_files import models_of  # noqa: E402
from glioseg.predict.model_facts import read_facts  # noqa: E402
from glioseg.predict.one_scan import prepare  # noqa: E402
from glioseg.predict.segment import PredictSettings, segment_image  # noqa: E402
from glioseg.split.models import fold_of, models_for, scored_subjects  # noqa: E402
from glioseg.volumes.nifti import read_volume, write_volume  # noqa: E402
from glioseg.workflow.commands import FOLDER  # noqa: E402

CONFIG = yaml.safe_load((SCRIPTS.parent / "config.yaml").read_text(encoding="utf-8"))
Change = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def noise(share: float) -> Change:
    """Rician noise; share: its standard deviation relative to that of the brain's intensities."""

    def change(volume, brain, random):
        spread = share * volume[brain].std()
        real, imaginary = random.normal(0, spread, (2, *volume.shape))
        return np.hypot(volume + real, imaginary)

    return change


def bias(share: float) -> Change:
    """A smooth field that multiplies intensities by up to 1 ± share, with about 5 cm from crest to trough."""

    def change(volume, brain, random):
        knots = random.normal(size=[max(2, round(length / 50) + 1) for length in volume.shape])
        field = ndimage.zoom(knots, [n / k for n, k in zip(volume.shape, knots.shape, strict=True)], order=3)
        return volume * (1 + share * field / np.abs(field[brain]).max())

    return change


def gain_and_offset(gain: float, offset: float) -> Change:
    """A linear change of intensities; offset: in units of the brain's mean."""
    return lambda volume, brain, random: gain * volume + offset * volume[brain].mean()


def gamma(power: float) -> Change:
    """A nonlinear contrast: intensities relative to their 99th percentile, raised to a power."""

    def change(volume, brain, random):
        top = np.percentile(volume[brain], 99)
        return top * np.clip(volume / top, 0, None) ** power

    return change


def same(volume, brain, random):
    """Return the volume unchanged."""
    return volume


# Change of each modality, modalities left out, and number of slices averaged into one.
CONDITIONS: dict[str, tuple[Change, tuple[str, ...], int]] = {
    "as scanned": (same, (), 1),
    "noise, 0.25 standard deviations": (noise(0.25), (), 1),
    "noise, 0.5 standard deviations": (noise(0.5), (), 1),
    "bias field, up to 30 %": (bias(0.3), (), 1),
    "intensities times 1.5 plus 0.3 means": (gain_and_offset(1.5, 0.3), (), 1),
    "intensities to the power of 1.5": (gamma(1.5), (), 1),
    **{f"no {name}": (same, (name,), 1) for name in CONFIG["modalities"]},
    "slices twice as thick": (same, (), 2),
}


def thicker(volume: np.ndarray, slices: int) -> np.ndarray:
    """Average groups of so many slices; the last slice is repeated to fill the last group."""
    padded = np.pad(volume, [(0, 0), (0, 0), (0, -volume.shape[2] % slices)], mode="edge")
    return padded.reshape(*padded.shape[:2], -1, slices).mean(axis=3)


def changed_scan(scan: dict, series: dict, condition: str, folder: Path, seed: int) -> dict[str, tuple[Path, int]]:
    """Write a subject's files (series: by modality) under a condition; returns the file and volume of each modality."""
    change, absent, slices = CONDITIONS[condition]
    random, files = np.random.default_rng(seed), {}
    for name in scan["modalities"]:
        if name in series and name not in absent:
            volume, affine = read_volume(*series[name])
            air = scan["intensities"][name]["background"]
            brain = volume != air
            # Air has no signal, even if its value in the file is not 0. Keep the background unchanged; otherwise it
            # would reveal the change.
            volume = np.where(brain, air + change(volume.astype(np.float64) - air, brain, random), volume)
            if slices > 1:
                volume, affine = thicker(volume, slices), affine @ np.diag([1, 1, slices, 1])
            files[name] = folder / f"{name}.nii", 0
            write_volume(files[name][0], volume.astype(np.float32), affine)
    return files


def score(
    scan: dict, series: dict, condition: str, models: list[Path], study: dict, settings: PredictSettings
) -> list[float]:
    """Dice of WT, TC and ET, and the uncertainty, of a subject under a condition; NaN for an excluded scan."""
    truth, _ = read_volume(*series[MASK])
    with tempfile.TemporaryDirectory() as folder:
        files = changed_scan(scan, series, condition, Path(folder), 1)
        try:
            facts, image, _ = prepare(scan["subject"], files, study, scan["labels"])
        except ValueError as error:
            click.echo(f"{condition}: {error}", err=True)
            return [float("nan")] * 4
        found = segment_image(image, facts, models, settings)
    predicted = np.repeat(found.classes, CONDITIONS[condition][2], axis=2)[:, :, : truth.shape[2]]
    known = known_classes(truth, scan["labels"])
    scores = [dice(region(known, name), region(predicted, name)) for name in EVERYWHERE]
    return [*scores, found.uncertainty["uncertainty"]]


def reached(usual: list[list[float]], changed: list[list[float]]) -> str:
    """The share of subjects whose mean Dice reaches its bound, of those that could be predicted; "n/a" of too few.

    usual, changed: rows of `score` as scanned and under a condition.
    """
    held = []
    for place, row in enumerate(changed):
        rows = {str(number): other for number, other in enumerate(usual) if number != place}
        true = {name: float(np.mean(other[:3])) for name, other in rows.items()}
        expected = {name: 1 - other[3] for name, other in rows.items()} | {"own": 1 - row[3]}
        bound = dice_bounds(expected, true, {name: name for name in expected})["own"]
        if bound is not None and not np.isnan(row).any():
            held.append(np.mean(row[:3]) >= bound)
    return f"{np.mean(held):.2f}" if held else "n/a"


@click.command(help=__doc__)
@click.option(
    "--results", type=FOLDER, required=True, help="Results folder of a finished study; its scans must still exist."
)
@click.option(
    "--models",
    "given",
    type=click.Path(path_type=Path),
    help="Results folder or bundle of the models. Default: the study itself.",
)
@click.option(
    "--condition",
    "conditions",
    type=click.Choice(list(CONDITIONS)),
    multiple=True,
    help="Condition to measure besides the usual one (repeatable). Default: all.",
)
@click.option(
    "--overlap", type=float, default=CONFIG["predict"]["overlap"], show_default=True, help="Overlap of windows."
)
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help="Number of CPU threads.")
def main(results: Path, given: Path | None, conditions: tuple[str, ...], overlap: float, threads: int) -> None:
    cohort = read_table(results / "split/cohort.tsv")
    trained = [] if given else [path.name for path in (results / "train").iterdir() if path.is_dir()]
    folds = len({fold_of(name) for name in trained})
    seeds = len(trained) // max(folds, 1)
    chosen = CONFIG["predict"] | {"maps": [], "overlap": overlap, "threads": threads}
    settings = PredictSettings(**{name: value for name, value in chosen.items() if name != "layout"})
    measured = list(dict.fromkeys(["as scanned", *(conditions or CONDITIONS)]))
    found: dict[str, list] = {name: [] for name in measured}
    for subject in scored_subjects(cohort):
        scan = json.loads((results / "preprocess" / subject / "scan.json").read_text(encoding="utf-8"))
        series = listed_files(results / "layouts/subjects.tsv", [subject], [*scan["modalities"], MASK])[subject]
        names = [] if given else models_for(cohort, subject, folds, seeds)
        models = models_of(given) if given else [results / "train" / name / "model.keras" for name in names]
        usual = {name: CONFIG[name] for name in ("modalities", "preprocess")}
        study = usual | read_facts(models).study
        # Here a missing modality is always replaced by zeros, whatever the study did.
        study["preprocess"] = study["preprocess"] | {"missing": "zeros"}
        for condition in measured:
            found[condition].append(score(scan, series, condition, models, study, settings))
            click.echo(f"{subject}, {condition}: {np.round(found[condition][-1], 3).tolist()}", err=True)
    usual = np.mean(found["as scanned"], axis=0)
    click.echo(
        f"| mean of {len(found['as scanned'])} | WT | TC | ET | mean | change | uncertainty | bound reached |\n"
        f"|---|{'---|' * 7}"
    )
    for condition, rows in found.items():
        *regions, uncertainty = np.mean(rows, axis=0)
        numbers = " | ".join(f"{value:.3f}" for value in (*regions, np.mean(regions)))
        change = np.mean(regions) - np.mean(usual[:3])
        held = reached(found["as scanned"], rows)
        click.echo(f"| {condition} | {numbers} | {change:+.3f} | {uncertainty:.3f} | {held} |")


if __name__ == "__main__":
    main()
