"""Draw the pictures of one subject: modalities.png, sample.png and planes.png."""

from pathlib import Path

import click

from glioseg.labels import DIALECTS
from glioseg.plot.slices import PLANES
from glioseg.plot.style import save
from glioseg.plot.subject import subject
from glioseg.workflow.commands import FILE, FOLDER, NEW, Command


@click.command(cls=Command, help=__doc__)
@click.option("--scan", required=True, type=FOLDER, help="The subject's folder of preprocess.")
@click.option("--labels", required=True, type=click.Choice(DIALECTS), help="What label values on disk mean.")
# Neither is required: a subject that a model was trained on has no prediction, one without a mask has no scores.
@click.option("--prediction", type=FILE, help="Predicted label map, on the scan's own grid.")
@click.option("--scores", type=FILE, help="JSON file of evaluate, for the Dice in the title.")
# For a picture of one's own: the workflow doesn't say, and takes what is usual.
@click.option("--modality", "rows", multiple=True, help="Row of planes.png; give it for each. Else flair, t1ce.")
@click.option("--plane", "columns", multiple=True, type=click.Choice(PLANES), help="Column of it; else all three.")
@click.option("--output", required=True, type=NEW, help="Folder to write into.")
def plot_subject(
    scan: Path,
    labels: str,
    prediction: Path | None,
    scores: Path | None,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
    output: Path,
) -> None:
    pictures = subject(scan, labels, prediction, scores, rows, columns)
    output.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        save(picture, output / f"{name}.png")


if __name__ == "__main__":
    plot_subject()
