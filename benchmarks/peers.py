"""What the benchmarks of peers share: Dice of a subject, and the report of all."""

import json
from pathlib import Path

import click
import numpy as np

from glioseg.metrics import dice_of_sizes


def dice(truth: np.ndarray, found: np.ndarray) -> float:
    """Dice of two boolean arrays of one shape; 1 where both are empty."""
    return dice_of_sizes(int(truth.sum()), int(found.sum()), int((truth & found).sum()))


def report(found: dict[str, dict[str, float]], output: Path) -> None:
    """Print the means of each subject's Dice by region, and write all of it as JSON."""
    regions = next(iter(found.values())).keys()
    means = {key: float(np.mean([scores[key] for scores in found.values()])) for key in regions}
    click.echo(f"mean of {len(found)}: " + ", ".join(f"{key} {value:.3f}" for key, value in means.items()))
    click.echo(f"mean: {np.mean(list(means.values())):.3f}")
    output.write_text(json.dumps({"subjects": found, "means": means}, indent=2))
