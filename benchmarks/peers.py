"""What the benchmarks of peers share: options, who is held out, Dice of a subject, and the report of all."""

import json
from pathlib import Path

import click
import numpy as np

from glioseg.evaluate.metrics import dice_of_sizes
from glioseg.split.models import models_for, scored_subjects

OPTIONS = (
    click.option("--study", type=click.Path(exists=True, path_type=Path), required=True, help="Its results folder."),
    click.option("--folds", type=int, required=True, help="Of that study."),
    click.option("--minutes", type=float, required=True, help="Of training, for each fold."),
    click.option("--autocast", type=bool, required=True, help="To bfloat16, for a CPU that has it."),
    click.option("--threads", type=int, required=True),
    click.option("--seed", type=int, required=True),
    click.option("--output", type=click.Path(path_type=Path), required=True, help="JSON of each subject's Dice."),
)


def options(command):
    """Give a command the options that all peers have."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def held_out(rows: list[dict], fold: str, folds: int) -> list[str]:
    """The scored subjects that a fold's model never saw."""
    return [name for name in scored_subjects(rows) if fold in models_for(rows, name, folds, 1)]


def dice(truth: np.ndarray, found: np.ndarray) -> float:
    """Dice of two boolean arrays of one shape; 1 where both are empty."""
    return dice_of_sizes(int(truth.sum()), int(found.sum()), int((truth & found).sum()))


def show(name: str, scores: dict[str, float]) -> None:
    """Print a subject's Dice by region."""
    click.echo(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in scores.items()))


def report(found: dict[str, dict[str, float]], output: Path) -> None:
    """Print the means of each subject's Dice by region, and write all of it as JSON."""
    regions = next(iter(found.values())).keys()
    means = {key: float(np.mean([scores[key] for scores in found.values()])) for key in regions}
    show(f"mean of {len(found)}", means)
    click.echo(f"mean: {np.mean(list(means.values())):.3f}")
    output.write_text(json.dumps({"subjects": found, "means": means}, indent=2))
