"""Draw one figure of the whole cohort."""

from pathlib import Path

import click

from glioseg.plot.figures import FIGURES, draw_of
from glioseg.plot.style import save, save_for_print
from glioseg.workflow.commands import Command, Output


@click.command(cls=Command, help=__doc__)
@click.option("--figure", required=True, type=click.Choice(FIGURES), help="Name of the figure.")
@click.option(
    "--input",
    "inputs",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),  # "cohort" also reads a folder
    help="File that the figure is drawn from (repeatable, in this order). "
    "curves: history.tsv of each fold; scores, agreement: subjects.tsv; "
    "calibration: calibration.tsv; uncertainty: uncertainty.tsv; cohort: cohort.tsv, then the folder of preprocessed "
    "scans; network: model.keras.",
)
@click.option(
    "--output", required=True, type=Output("figure", ".png"), help="PNG file to write; others for print go to print/."
)
def plot(figure: str, inputs: tuple[Path, ...], output: Path) -> None:
    drawn = draw_of(figure)(inputs)
    save(drawn, output)
    save_for_print(drawn, output.parent / "print" / output.name)


if __name__ == "__main__":
    plot()
