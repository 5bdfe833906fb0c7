"""Shared by the benchmarks of peers: options, held-out subjects, Dice, and the report."""

import json
from pathlib import Path

import click
import numpy as np

from glioseg.evaluate.measures import dice_of_sizes
from glioseg.split.models import models_for, scored_subjects

OPTIONS = (
    click.option(
        "--study", type=click.Path(exists=True, path_type=Path), required=True, help="Results folder of the study."
    ),
    click.option("--folds", type=int, required=True, help="Number of folds of the study."),
    click.option("--minutes", type=float, required=True, help="Minutes of training per fold."),
    click.option("--autocast", type=bool, required=True, help="true: compute in bfloat16, if the CPU supports it."),
    click.option("--threads", type=int, required=True, help="Number of CPU threads."),
    click.option("--seed", type=int, required=True, help="Seed of the training."),
    click.option(
        "--output", type=click.Path(path_type=Path), required=True, help="JSON file to write: the Dice of each subject."
    ),
)


def options(command):
    """Add the options of all peers to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def held_out(rows: list[dict], fold: str, folds: int) -> list[str]:
    """The scored subjects that a fold's model was not trained on."""
    return [name for name in scored_subjects(rows) if fold in models_for(rows, name, folds, 1)]


def dice(truth: np.ndarray, found: np.ndarray) -> float:
    """Dice of two boolean arrays of the same shape; 1 if both are empty."""
    return dice_of_sizes(int(truth.sum()), int(found.sum()), int((truth & found).sum()))


def show(name: str, scores: dict[str, float]) -> None:
    """Print a subject's Dice by region."""
    click.echo(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in scores.items()))


def report(found: dict[str, dict[str, float]], output: Path) -> None:
    """Print the mean Dice by region, and write it with each subject's Dice as JSON."""
    regions = next(iter(found.values())).keys()
    means = {key: float(np.mean([scores[key] for scores in found.values()])) for key in regions}
    show(f"mean of {len(found)}", means)
    click.echo(f"mean: {np.mean(list(means.values())):.3f}")
    output.write_text(json.dumps({"subjects": found, "means": means}, indent=2))
