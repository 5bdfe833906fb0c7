"""Write a subject's scan, truth and prediction as a JavaScript file, for the interactive viewer on its page."""

from pathlib import Path

import click

from glioseg.files import write_text
from glioseg.labels import DIALECTS
from glioseg.preprocess.layers import read_layers
from glioseg.report.viewer import embedded, read_overlays
from glioseg.workflow.commands import FILE, FOLDER, SUBJECTS, Command, Output


@click.command(cls=Command, help=__doc__)
@click.option("--scan", required=True, type=FOLDER, help="The subject's folder written by preprocess.")
@SUBJECTS
@click.option("--labels", required=True, type=click.Choice(DIALECTS), help="Label dialect of the files.")
@click.option("--prediction", required=True, type=FILE, help="Predicted label map on the scan's own grid.")
@click.option("--overlay", "overlays", type=FILE, multiple=True, help="Map written by predict (repeatable).")
@click.option("--output", required=True, type=Output("script", ".js"), help="JavaScript file to write.")
def embed(scan: Path, subjects: Path, labels: str, prediction: Path, overlays: tuple[Path, ...], output: Path) -> None:
    write_text(output, embedded(read_layers(scan, subjects, labels, prediction), read_overlays(overlays)))


if __name__ == "__main__":
    embed()
