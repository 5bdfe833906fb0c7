"""Compare two or more runs: rank them as BraTS ranks its teams, and compare the Dice of each with that of the first, A.

Each of RESULTS is the results folder of a run, or a subjects.tsv written by summarize. Subjects that not every run
scored are left out and listed. The p-values of the ranking are from a permutation test; those of the Dice are from
Wilcoxon's signed-rank test, and the interval is a bootstrap interval of the mean difference.
"""

from pathlib import Path

import click

from glioseg.evaluate.compare import COMPARISON_COLUMNS, compare_dice, comparison_table, dice_of, left_out, lettered
from glioseg.evaluate.parts.ranking import RANKING_COLUMNS, rank_runs, ranked_scores, ranking_table
from glioseg.evaluate.score_table import NETWORK
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.workflow.commands import SEED, TABLE, Command

RUN = click.Path(exists=True, path_type=Path)


@click.command(cls=Command, help=__doc__)
@click.argument("results", type=RUN, nargs=-1, required=True)
@click.option(
    "--method",
    "methods",
    multiple=True,
    default=[NETWORK],
    show_default=True,
    help="Method to compare, as named in the table (repeatable: several methods of each run).",
)
@click.option("--bootstrap", type=click.IntRange(1), default=10000, show_default=True, help="Bootstrap resamples.")
@click.option("--seed", type=SEED, default=42, show_default=True, help="Seed of the bootstrap.")
@click.option("--output", type=TABLE, help="Also write the comparison of the Dice as a table. Default: only print it.")
@click.option("--ranking", type=TABLE, help="Also write the ranking as a table. Default: only print it.")
def compare(
    results: tuple[Path, ...],
    methods: tuple[str, ...],
    bootstrap: int,
    seed: int,
    output: Path | None,
    ranking: Path | None,
) -> None:
    runs = lettered([(path, method) for path in results for method in methods])
    read = {name: read_run(*run) for name, run in runs.items()}
    dice, scores = ({name: run[part] for name, run in read.items()} for part in (0, 1))
    patients = read["A"][2]
    ranked = rank_runs(scores, patients)
    rows = compare_dice(dice, bootstrap, seed, patients)
    click.echo(f"{ranking_table(ranked, runs)}\n\n{comparison_table(rows)}")
    for sentence in left_out(dice):
        click.echo(sentence)
    if output:
        write_table(output, COMPARISON_COLUMNS, rows)
    if ranking:
        write_table(ranking, RANKING_COLUMNS, ranked)


def read_run(path: Path, method: str) -> tuple[dict, dict, dict[str, str]]:
    """Return `dice_of` and `ranked_scores` for a run, given its folder or table, and the patient of each subject.

    Raises ValueError naming the table.
    """
    table = path / "summarize" / "subjects.tsv" if path.is_dir() else path
    rows = read_table(table, SUBJECT_COLUMNS)
    try:
        return dice_of(rows, method), ranked_scores(rows, method), {row["subject"]: row["patient"] for row in rows}
    except ValueError as error:
        raise ValueError(f"{table}: {error}") from error


if __name__ == "__main__":
    compare()
