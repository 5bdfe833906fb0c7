"""Write the report: one HTML page about a run with its pictures inside, and a page per subject."""

import json

import click

from glioseg.cohort import COLUMNS
from glioseg.commands import FILE, FOLDER, NEW, Command
from glioseg.failures import read_failures
from glioseg.outputs import read_json, read_table, whole
from glioseg.page import data_uri, file_hash, read_hashes, read_times, relative, render, script_of
from glioseg.page_subject import render_subjects
from glioseg.summary import SCORE_COLUMNS, SUBJECT_COLUMNS
from glioseg.viewer import niivue


@click.command(cls=Command, help=__doc__)
@click.option("--cohort", required=True, type=FILE, help="Table of split.")
@click.option("--subjects", required=True, type=FILE, help="Table of summarize: every single score.")
@click.option("--scores", required=True, type=FILE, help="Table of summarize: each method's scores.")
@click.option("--plots", required=True, type=FOLDER, help="Folder of plot.")
@click.option("--preprocess", required=True, type=NEW, help="Folder of preprocess, for the hashes of the scans.")
@click.option("--volumes", required=True, type=NEW, help="Folder of embed; subjects without a script have no viewer.")
@click.option("--models", required=True, multiple=True, type=FILE, help="model.keras of a model; give it for each.")
@click.option("--settings", required=True, multiple=True, type=FILE, help="settings.json of a model; give it for each.")
@click.option("--config", required=True, help="The configuration in force, as JSON.")
@click.option(
    "--benchmarks", required=True, type=NEW, help="Folder of Snakemake's benchmark files, by rule; may be absent."
)
@click.option("--commit", required=True, help="Version of the code.")
@click.option("--failures", multiple=True, type=NEW, help="Ledger of the failed jobs that the run went on without.")
@click.option("--gallery", required=True, type=click.IntRange(0), help="Show so many worst and best subjects.")
@click.option("--pages", required=True, type=NEW, help="Folder to write the subjects' pages into.")
@click.option("--output", required=True, type=NEW, help="HTML file to write.")
def report(
    cohort,
    subjects,
    scores,
    plots,
    preprocess,
    volumes,
    models,
    settings,
    config,
    benchmarks,
    commit,
    failures,
    gallery,
    pages,
    output,
) -> None:
    expected = ((cohort, COLUMNS), (subjects, SUBJECT_COLUMNS), (scores, SCORE_COLUMNS))
    tables = [read_table(path, columns) for path, columns in expected]
    trainings = [read_json(path) for path in settings]
    hashes = read_hashes(preprocess, [row["subject"] for row in tables[0]])
    digests = {path.parent.name: file_hash(path) for path in models}

    def picture(name: str) -> str:
        return data_uri(plots / name)

    facts = (read_times(benchmarks), json.loads(config), commit, gallery, hashes, digests)
    index = render(*tables, trainings, *facts, relative(pages, output.parent), picture, read_failures(failures))
    with whole(output) as partial:
        partial.write_text(index, encoding="utf-8")
    with whole(pages / "niivue.js") as partial:
        partial.write_text(niivue(), encoding="utf-8")
    for subject, page in render_subjects(*tables[:2], hashes, picture, lambda name: script_of(name, volumes, pages)):
        with whole(pages / f"{subject}.html") as partial:
            partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    report()
