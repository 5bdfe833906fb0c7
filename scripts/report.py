"""Write the report: one self-contained HTML page about a run, and a page per subject."""

import json

import click

from glioseg.evaluate.calibration import CALIBRATION_COLUMNS
from glioseg.evaluate.lesion_table import LESION_COLUMNS
from glioseg.evaluate.parts.confusion import CONFUSION_COLUMNS
from glioseg.evaluate.parts.groups import GROUP_COLUMNS
from glioseg.evaluate.parts.suspects import SUSPECT_COLUMNS
from glioseg.evaluate.summary import SCORE_COLUMNS, SUBJECT_COLUMNS
from glioseg.evaluate.uncertainty import UNCERTAINTY_COLUMNS
from glioseg.evaluate.volumes import volume_columns
from glioseg.files import read_json, read_table, write_text
from glioseg.model_files import content_of, read_settings
from glioseg.predict.tune_postprocess import TUNING_COLUMNS
from glioseg.report.downloads import address, downloads, segmentations, subject_files
from glioseg.report.gallery import VIEWERS, viewed
from glioseg.report.index import render
from glioseg.report.pages import data_uri, model_name, read_hashes, read_times, relative_address, script_of
from glioseg.report.paper.contents import paper_files, paper_of
from glioseg.report.registration import read_registered
from glioseg.report.run import Run
from glioseg.report.subject import render_subjects
from glioseg.report.viewer import niivue
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.workflow.commands import FILE, FOLDER, MODELS, NEW_FOLDER, OPTIONAL, Command, Output
from glioseg.workflow.failures import read_failures

# The main page tries to load this file, to find out whether the subject pages are next to it.
HERE = "// The pages of the subjects are here.\n"


@click.command(cls=Command, help=__doc__)
@click.option("--notes", required=True, type=FILE, help="Table of notes written by layouts.")
@click.option("--cohort", required=True, type=FILE, help="Cohort table written by split.")
@click.option("--subjects", required=True, type=FILE, help="subjects.tsv written by summarize.")
@click.option("--scores", required=True, type=FILE, help="scores.tsv written by summarize.")
@click.option("--uncertainty", required=True, type=FILE, help="uncertainty.tsv written by summarize.")
@click.option("--measured", required=True, type=FILE, help="volumes.tsv written by summarize.")
@click.option("--lesions", required=True, type=FILE, help="lesions.tsv written by summarize.")
@click.option("--confusion", required=True, type=FILE, help="confusion.tsv written by summarize.")
@click.option("--groups", required=True, type=FILE, help="groups.tsv written by summarize.")
@click.option("--suspects", required=True, type=FILE, help="suspects.tsv written by summarize.")
@click.option("--calibration", required=True, type=FILE, help="calibration.tsv written by summarize.")
@click.option("--tuning", "tunings", multiple=True, type=FILE, help="Table written by tune_postprocess (repeatable).")
@click.option("--chosen", multiple=True, type=FILE, help="JSON file written by tune_postprocess (repeatable).")
@click.option("--plots", required=True, type=FOLDER, help="Folder of figures written by plot.")
@click.option(
    "--preprocess", required=True, type=OPTIONAL, help="Folder written by preprocess, with the hashes of the scans."
)
@click.option(
    "--volumes",
    required=True,
    type=OPTIONAL,
    help="Folder written by embed; a subject without a file in it gets no viewer.",
)
@MODELS
@click.option("--config", required=True, help="Configuration of the study as JSON.")
@click.option("--benchmarks", required=True, type=OPTIONAL, help="Folder of Snakemake's benchmark files, if any.")
@click.option("--results", required=True, type=OPTIONAL, help="Folder of the files that the report links to.")
@click.option("--commit", required=True, help="Version of the code.")
@click.option(
    "--failures", multiple=True, type=OPTIONAL, help="Table of failed jobs that the run skipped (repeatable)."
)
@click.option("--registered", type=OPTIONAL, help="Folder written by register, if subjects were registered.")
@click.option("--title", required=True, help="Title of the report, or nothing: Brain tumor segmentation.")
@click.option("--gallery", required=True, type=click.IntRange(0), help="Number of worst and of best subjects to show.")
@click.option("--viewer", required=True, type=click.Choice(VIEWERS), help="Which subject pages get the viewer.")
@click.option("--segmenter", type=FILE, help="Page written by embed_model, if the report has one.")
@click.option("--pages", required=True, type=NEW_FOLDER, help="Folder to write the subject pages into.")
@click.option("--paper", required=True, type=NEW_FOLDER, help="Folder to write methods, references and checklist into.")
@click.option("--output", required=True, type=Output("report", ".html"), help="HTML file of the report to write.")
def report(
    notes,
    cohort,
    subjects,
    scores,
    uncertainty,
    measured,
    lesions,
    confusion,
    groups,
    suspects,
    calibration,
    tunings,
    chosen,
    plots,
    preprocess,
    volumes,
    models,
    config,
    benchmarks,
    results,
    commit,
    failures,
    registered,
    title,
    gallery,
    viewer,
    segmenter,
    pages,
    paper,
    output,
) -> None:
    rows, study = read_table(cohort, COHORT_COLUMNS), json.loads(config)
    run = Run(
        cohort=rows,
        subjects=read_table(subjects, SUBJECT_COLUMNS),
        scores=read_table(scores, SCORE_COLUMNS),
        uncertainty=read_table(uncertainty, UNCERTAINTY_COLUMNS),
        volumes=read_table(measured, volume_columns(rows)),
        lesions=read_table(lesions, LESION_COLUMNS),
        confusion=read_table(confusion, CONFUSION_COLUMNS),
        groups=read_table(groups, GROUP_COLUMNS),
        suspects=read_table(suspects, SUSPECT_COLUMNS),
        calibration=read_table(calibration, CALIBRATION_COLUMNS),
        trainings=[read_settings(model) for model in models],
        tunings={path.stem.removesuffix("_tried"): read_table(path, TUNING_COLUMNS) for path in tunings},
        chosen={path.stem: read_json(path) for path in chosen},
        benchmarks=read_times(benchmarks),
        config=study,
        commit=commit,
        hashes=read_hashes(preprocess, [row["subject"] for row in rows]),
        models={model_name(model, bool(study.get("models"))): content_of(model) for model in models},
        failures=read_failures(failures),
        notes=[row["note"] for row in read_table(notes, ("note",))],
        registered=read_registered(registered, [row["subject"] for row in rows]),
    )

    def figure(name: str) -> str:
        return data_uri(plots / name)

    addresses = {name: relative_address(path, output.parent) for name, path in (("pages", pages), ("paper", paper))}
    listed = downloads(results, plots, output.parent)
    files = {"listed": listed, "segmentations": segmentations([row["subject"] for row in rows], results, output.parent)}
    files["segmenter"] = address(segmenter, output.parent) if segmenter else ""
    publication = paper_of(run)
    index = render(run, publication, title, gallery, addresses, figure, files)
    write_text(output, index)
    for name, content in paper_files(publication).items():
        write_text(paper / name, content)
    shown = viewed(viewer, run.cohort, run.subjects, run.uncertainty, gallery)
    scripts = {subject: script_of(subject, volumes, pages) for subject in shown}
    if any(scripts.values()):
        write_text(pages / "niivue.js", niivue())
    for subject, page in render_subjects(run, figure, scripts, lambda name: subject_files(name, results, pages)):
        write_text(pages / f"{subject}.html", page)
    write_text(pages / "here.js", HERE)


if __name__ == "__main__":
    report()
