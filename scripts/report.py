"""Write the report: one HTML page about a run with its pictures inside, and a page per subject."""

import json
from pathlib import Path

import click

from glioseg.evaluate.summary import SCORE_COLUMNS, SUBJECT_COLUMNS
from glioseg.evaluate.uncertainty import UNCERTAINTY_COLUMNS
from glioseg.files import read_json, read_table, whole
from glioseg.predict.tune_postprocess import TUNING_COLUMNS
from glioseg.report.gallery import VIEWERS, viewed
from glioseg.report.index import render
from glioseg.report.pages import data_uri, file_hash, read_hashes, read_times, relative, script_of
from glioseg.report.run import Run
from glioseg.report.subject import render_subjects
from glioseg.report.viewer import niivue
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.workflow.commands import FILE, FOLDER, NEW, Command
from glioseg.workflow.failures import read_failures

# Whether the report's page can load it tells whether the subjects' pages are beside it.
HERE = "// The pages of the subjects are here.\n"


@click.command(cls=Command, help=__doc__)
@click.option("--cohort", required=True, type=FILE, help="Table of split.")
@click.option("--subjects", required=True, type=FILE, help="Table of summarize: every single score.")
@click.option("--scores", required=True, type=FILE, help="Table of summarize: each method's scores.")
@click.option("--uncertainty", required=True, type=FILE, help="Table of summarize: how sure each segmentation is.")
@click.option("--tuning", "tunings", multiple=True, type=FILE, help="Table of tune_postprocess; give it for each fold.")
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
    tunings,
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
    rows = read_table(cohort, COHORT_COLUMNS)
    run = Run(
        cohort=rows,
        subjects=read_table(subjects, SUBJECT_COLUMNS),
        scores=read_table(scores, SCORE_COLUMNS),
        uncertainty=read_table(uncertainty, UNCERTAINTY_COLUMNS),
        trainings=[read_json(path) for path in settings],
        tunings={path.stem: read_table(path, TUNING_COLUMNS) for path in tunings},
        benchmarks=read_times(benchmarks),
        config=json.loads(config),
        commit=commit,
        hashes=read_hashes(preprocess, [row["subject"] for row in rows]),
        models={path.parent.name: file_hash(path) for path in models},
        failures=read_failures(failures),
    )

    def figure(name: str) -> str:
        return data_uri(plots / name)

    index = render(run, gallery, relative(pages, output.parent), figure)
    write(output, index)
    shown = viewed(viewer, run.cohort, run.subjects, run.uncertainty, gallery)
    scripts = {subject: script_of(subject, volumes, pages) for subject in shown}
    if any(scripts.values()):
        write(pages / "niivue.js", niivue())
    for subject, page in render_subjects(run, figure, scripts):
        write(pages / f"{subject}.html", page)
    write(pages / "here.js", HERE)


def write(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    report()
