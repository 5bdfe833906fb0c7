"""Write the report: one HTML page about a run with its pictures inside, and a page per subject."""

import json
from pathlib import Path

import click

from glioseg.evaluate.summary import SCORE_COLUMNS, SUBJECT_COLUMNS
from glioseg.evaluate.uncertainty import COLUMNS as UNSURE_COLUMNS
from glioseg.files import read_json, read_table, whole
from glioseg.predict.tune_postprocess import COLUMNS as SEARCH_COLUMNS
from glioseg.report.index import render
from glioseg.report.pages import data_uri, file_hash, read_hashes, read_times, relative, script_of
from glioseg.report.subject import render_subjects
from glioseg.report.tables import VIEWERS, viewed
from glioseg.report.viewer import niivue
from glioseg.split.cohort import COLUMNS
from glioseg.workflow.commands import FILE, FOLDER, NEW, Command
from glioseg.workflow.failures import read_failures

# Whether the report's page can load it tells whether the subjects' pages are beside it.
HERE = "// The pages of the subjects are here.\n"


@click.command(cls=Command, help=__doc__)
@click.option("--cohort", required=True, type=FILE, help="Table of split.")
@click.option("--subjects", required=True, type=FILE, help="Table of summarize: every single score.")
@click.option("--scores", required=True, type=FILE, help="Table of summarize: each method's scores.")
@click.option("--uncertainty", required=True, type=FILE, help="Table of summarize: how sure each segmentation is.")
@click.option("--search", "searches", multiple=True, type=FILE, help="Table of postprocess; give it for each fold.")
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
@click.option("--viewer", required=True, type=click.Choice(VIEWERS), help="Whose page has the interactive viewer.")
@click.option("--pages", required=True, type=NEW, help="Folder to write the subjects' pages into.")
@click.option("--output", required=True, type=NEW, help="HTML file to write.")
def report(
    cohort,
    subjects,
    scores,
    uncertainty,
    searches,
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
    viewer,
    pages,
    output,
) -> None:
    expected = ((cohort, COLUMNS), (subjects, SUBJECT_COLUMNS), (scores, SCORE_COLUMNS), (uncertainty, UNSURE_COLUMNS))
    tables = [read_table(path, columns) for path, columns in expected]
    trainings = [read_json(path) for path in settings]
    hashes = read_hashes(preprocess, [row["subject"] for row in tables[0]])
    digests = {path.parent.name: file_hash(path) for path in models}

    def picture(name: str) -> str:
        return data_uri(plots / name)

    searched = {path.stem: read_table(path, SEARCH_COLUMNS) for path in searches}
    facts = (searched, read_times(benchmarks), json.loads(config), commit, gallery, hashes, digests)
    index = render(*tables, trainings, *facts, relative(pages, output.parent), picture, read_failures(failures))
    write(output, index)
    shown = viewed(viewer, *tables[:2], tables[3], gallery)
    scripts = {subject: script_of(subject, volumes, pages) for subject in shown}
    if any(scripts.values()):
        write(pages / "niivue.js", niivue())
    for subject, page in render_subjects(*tables[:2], hashes, picture, scripts):
        write(pages / f"{subject}.html", page)
    write(pages / "here.js", HERE)


def write(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    report()
