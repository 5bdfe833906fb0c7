"""Compare the Dice of two runs, subject by subject: RESULTS_A is the run to start from, RESULTS_B the one to judge.

Each is a run's folder of results, or a subjects.tsv of summarize. Subjects that only one run scored are left out and
counted. The p is that of Wilcoxon's signed-rank test, the interval a bootstrap of the mean difference.
"""

from pathlib import Path

import click

from glioseg.evaluate.compare import COMPARISON_COLUMNS, compare_dice, comparison_table, dice_of
from glioseg.evaluate.score_table import NETWORK
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.workflow.commands import NEW, SEED, Command

RUN = click.Path(exists=True, path_type=Path)


@click.command(cls=Command, help=__doc__)
@click.argument("results_a", type=RUN)
@click.argument("results_b", type=RUN)
@click.option("--method", default=NETWORK, show_default=True, help="Whose scores to compare.")
@click.option("--bootstrap", type=click.IntRange(1), default=10000, show_default=True, help="Resamples.")
@click.option("--seed", type=SEED, default=42, show_default=True, help="Seed of the resamples.")
@click.option("--output", type=NEW, help="Table to write besides.")
def compare(results_a: Path, results_b: Path, method: str, bootstrap: int, seed: int, output: Path | None) -> None:
    a, b = (read_dice(path, method) for path in (results_a, results_b))
    rows = compare_dice(a, b, bootstrap, seed)
    click.echo(comparison_table(rows))
    for name, alone in (("A", set(a) - set(b)), ("B", set(b) - set(a))):
        if alone:
            click.echo(f"Left out, as only {name} scored them: {len(alone)} ({' '.join(sorted(alone)[:10])}, …)")
    if output:
        write_table(output, COMPARISON_COLUMNS, rows)


def read_dice(path: Path, method: str) -> dict[str, dict[str, float]]:
    """`dice_of` a run by its folder or table. Raises ValueError naming the table."""
    table = path / "summarize" / "subjects.tsv" if path.is_dir() else path
    rows = read_table(table, SUBJECT_COLUMNS)
    try:
        return dice_of(rows, method)
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error


if __name__ == "__main__":
    compare()
