"""Write one HTML page about a run, with its pictures inside; it needs no network and no other file."""

import json

import click

from glioseg.cohort import COLUMNS
from glioseg.commands import FILE, FOLDER, NEW, Command
from glioseg.outputs import read_table, whole
from glioseg.page import data_uri, read_times, render
from glioseg.summary import SCORE_COLUMNS, SUBJECT_COLUMNS


@click.command(cls=Command, help=__doc__)
@click.option("--cohort", required=True, type=FILE, help="Table of split.")
@click.option("--subjects", required=True, type=FILE, help="Table of summarize: every single score.")
@click.option("--scores", required=True, type=FILE, help="Table of summarize: each method's scores.")
@click.option("--plots", required=True, type=FOLDER, help="Folder of plot.")
@click.option("--settings", required=True, multiple=True, type=FILE, help="settings.json of a model; give it for each.")
@click.option("--config", required=True, help="The configuration in force, as JSON.")
@click.option(
    "--benchmarks", required=True, type=NEW, help="Folder of Snakemake's benchmark files, by rule; may be absent."
)
@click.option("--commit", required=True, help="Version of the code.")
@click.option("--gallery", required=True, type=click.IntRange(0), help="Show so many worst and best subjects.")
@click.option("--output", required=True, type=NEW, help="HTML file to write.")
def report(cohort, subjects, scores, plots, settings, config, benchmarks, commit, gallery, output) -> None:
    expected = ((cohort, COLUMNS), (subjects, SUBJECT_COLUMNS), (scores, SCORE_COLUMNS))
    tables = [read_table(path, columns) for path, columns in expected]
    trainings = [json.loads(path.read_text(encoding="utf-8")) for path in settings]
    choices, times = json.loads(config), read_times(benchmarks)
    page = render(*tables, trainings, times, choices, commit, gallery, lambda name: data_uri(plots / name))
    with whole(output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    report()
