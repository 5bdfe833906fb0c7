"""Write the models of a finished study into one file that can be handed over: a bundle. RESULTS is its results folder.

The bundle holds the models, as ONNX too, how scans are prepared, the label dialect, size thresholds, scores, a model
card, and hashes of the patients' voxels, but no patient's name. segment, the setting models and other studies take it.
"""

from pathlib import Path

import click

from glioseg.evaluate.summary import SCORE_COLUMNS
from glioseg.export.bundle import bundle_files, insist_on_all_models, write_bundle
from glioseg.export.card import model_card
from glioseg.export.onnx import onnx_networks
from glioseg.files import read_table
from glioseg.model_files import models_of, read_settings, size_thresholds
from glioseg.predict.model_facts import read_facts
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.workflow.commands import FOLDER, Command, Output


@click.command(cls=Command, help=__doc__)
@click.argument("results", type=FOLDER)
@click.option("--license", "license_name", default="", help="License of the models, for the card. Default: left open.")
@click.option("--half", is_flag=True, help="Write the weights in half precision, and no ONNX. Default: in full.")
@click.option("--output", type=Output("bundle", ".zip"), required=True, help="Bundle to write, such as a.glioseg.zip.")
def export(results: Path, license_name: str, half: bool, output: Path) -> None:
    models = models_of(results)
    read_facts(models)
    cohort, scores = (results / table for table in ("split/cohort.tsv", "summarize/scores.tsv"))
    cohort_rows = read_table(cohort, COHORT_COLUMNS) if cohort.exists() else []
    insist_on_all_models(cohort_rows, models)
    thresholds = size_thresholds(models)
    networks, no_onnx = ([], "--half leaves it out") if half else onnx_networks(models)
    card = model_card(
        [read_settings(model) for model in models],
        cohort_rows,
        read_table(scores, SCORE_COLUMNS) if scores.exists() else [],
        thresholds,
        license_name,
        no_onnx,
    )
    write_bundle(bundle_files(results, card, networks, half), output)
    count = f"{len(models)} model{'s' * (len(models) > 1)}"
    click.echo(f"{output}: {count}, {output.stat().st_size / 1e6:.1f} MB; README.md in it is their card")
    if len(models) > 1 and not thresholds:
        click.echo("There are no size thresholds in it, because the study chose none; those of the user apply")
    if no_onnx:
        click.echo(f"There is no ONNX in it, because {no_onnx}; glioseg itself runs the models")


if __name__ == "__main__":
    export()
