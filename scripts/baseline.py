"""Score two baselines, a FLAIR threshold and a voxel-wise classifier, by their Dice on held-out subjects."""

from pathlib import Path

import click

from glioseg.evaluate.baselines import score_baselines
from glioseg.evaluate.summary import BASELINE_COLUMNS
from glioseg.files import write_table
from glioseg.workflow.commands import FILE, FOLDER, SEED, TABLE, Command


@click.command(cls=Command, help=__doc__)
@click.option("--cohort", required=True, type=FILE, help="Cohort table written by split.")
@click.option("--preprocess", required=True, type=FOLDER, help="Folder written by preprocess.")
@click.option("--seed", required=True, type=SEED, help="Seed for drawing the training voxels.")
@click.option("--output", required=True, type=TABLE, help="Table of scores to write.")
def baseline(cohort: Path, preprocess: Path, seed: int, output: Path) -> None:
    write_table(output, BASELINE_COLUMNS, score_baselines(cohort, preprocess, seed))


if __name__ == "__main__":
    baseline()
