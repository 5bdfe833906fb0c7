"""Compare the Dice of two runs, subject by subject: RESULTS_A is the reference, RESULTS_B the run to compare with it.

Each is the results folder of a run, or a subjects.tsv written by summarize. Subjects scored by only one of the runs are
left out and listed. The p-value is from Wilcoxon's signed-rank test; the interval is a bootstrap interval of the mean
difference.
"""

from pathlib import Path

import click

from glioseg.evaluate.compare import COMPARISON_COLUMNS, compare_dice, comparison_table, dice_of
from glioseg.evaluate.score_table import NETWORK
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.workflow.commands import SEED, TABLE, Command

RUN = click.Path(exists=True, path_type=Path)


@click.command(cls=Command, help=__doc__)
@click.argument("results_a", type=RUN)
@click.argument("results_b", type=RUN)
@click.option("--method", default=NETWORK, show_default=True, help="Method to compare, as named in the table.")
@click.option("--bootstrap", type=click.IntRange(1), default=10000, show_default=True, help="Bootstrap resamples.")
@click.option("--seed", type=SEED, default=42, show_default=True, help="Seed of the bootstrap.")
@click.option("--output", type=TABLE, help="Also write the comparison as a table. Default: only print it.")
def compare(results_a: Path, results_b: Path, method: str, bootstrap: int, seed: int, output: Path | None) -> None:
    (a, patients), (b, _) = (read_dice(path, method) for path in (results_a, results_b))
    rows = compare_dice(a, b, bootstrap, seed, patients)
    click.echo(comparison_table(rows))
    for name, alone in (("A", set(a) - set(b)), ("B", set(b) - set(a))):
        if alone:
            click.echo(f"Left out because only {name} scored them: {len(alone)} ({' '.join(sorted(alone)[:10])}, …)")
    if output:
        write_table(output, COMPARISON_COLUMNS, rows)


def read_dice(path: Path, method: str) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """Return `dice_of` for a run, given its folder or table, and the patient of each subject.

    Raises ValueError naming the table.
    """
    table = path / "summarize" / "subjects.tsv" if path.is_dir() else path
    rows = read_table(table, SUBJECT_COLUMNS)
    try:
        return dice_of(rows, method), {row["subject"]: row["patient"] for row in rows}
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error


if __name__ == "__main__":
    compare()
