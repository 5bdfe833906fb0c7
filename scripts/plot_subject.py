"""Draw the figures of one subject: modalities, sample and planes, each as PNG, SVG and PDF."""

from pathlib import Path

import click

from glioseg.labels import DIALECTS
from glioseg.plot.style import save, save_pdf
from glioseg.plot.subjects.slices import PLANES
from glioseg.plot.subjects.subject import subject
from glioseg.workflow.commands import FILE, FOLDER, NEW_FOLDER, SUBJECTS, Command


@click.command(cls=Command, help=__doc__)
@click.option("--scan", required=True, type=FOLDER, help="The subject's folder written by preprocess.")
@SUBJECTS
@click.option("--labels", required=True, type=click.Choice(DIALECTS), help="Label dialect of the files.")
# Not required: a training subject may have no prediction, and a subject without a mask has no scores.
@click.option("--prediction", type=FILE, help="Predicted label map on the scan's own grid, if any.")
@click.option("--scores", type=FILE, help="JSON file written by evaluate; its Dice is shown in the title.")
# The workflow leaves these two out and gets the default rows and columns.
@click.option("--modality", "rows", multiple=True, help="Row of planes.png (repeatable). Default: flair, t1ce.")
@click.option(
    "--plane",
    "columns",
    multiple=True,
    type=click.Choice(PLANES),
    help="Column of planes.png (repeatable). Default: all.",
)
@click.option("--output", required=True, type=NEW_FOLDER, help="Folder to write the figures into.")
def plot_subject(
    scan: Path,
    subjects: Path,
    labels: str,
    prediction: Path | None,
    scores: Path | None,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    output: Path,
) -> None:
    figures = subject(scan, subjects, labels, prediction, scores, rows, columns)
    output.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        save(figure, output / f"{name}.png")
        save_pdf(figure, output / f"{name}.pdf")


if __name__ == "__main__":
    plot_subject()
