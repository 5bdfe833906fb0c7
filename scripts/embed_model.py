"""Write the page of the report that holds the models and segments scans in the browser, without a network."""

import json
from pathlib import Path

import click

from glioseg.files import write_text
from glioseg.report.segmenter.page import segmenter_page
from glioseg.report.study import TITLE
from glioseg.workflow.commands import MODELS, Command, Output


@click.command(cls=Command, help=__doc__)
@MODELS
@click.option("--predict", required=True, help="Section predict of the configuration, as JSON.")
@click.option("--title", required=True, help=f"Title of the report, or nothing: {TITLE}.")
@click.option("--output", required=True, type=Output("page", ".html"), help="HTML file to write.")
def embed_model(models: tuple, predict: str, title: str, output: Path) -> None:
    write_text(output, segmenter_page(models, json.loads(predict), title or TITLE))


if __name__ == "__main__":
    embed_model()
