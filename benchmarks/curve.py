"""Show the mean Dice against minutes of training, as a table and a figure, for finished studies and peers.

`make bench-curve` runs it.
"""

import sys
from pathlib import Path

import click
import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from matplotlib.figure import Figure  # noqa: E402

from glioseg.evaluate.score_table import NETWORK  # noqa: E402
from glioseg.files import read_json, read_table  # noqa: E402
from glioseg.labels import EVERYWHERE  # noqa: E402
from glioseg.plot.style import METHODS, save  # noqa: E402

Points = dict[float, dict[str, float]]


def means(path: Path) -> dict[str, float]:
    """Mean Dice by region, and their mean as "mean", from a study's folder or a JSON file of `peers.report`."""
    if path.suffix == ".json":
        found = read_json(path)["means"]
    else:
        rows = read_table(path / "summarize/scores.tsv")
        found = {
            row["region"]: float(row["mean"])
            for row in rows
            if row["method"] == NETWORK and row["metric"] == "dice" and row["region"] in EVERYWHERE
        }
    return found | {"mean": float(np.mean(list(found.values())))}


def draw(methods: dict[str, Points]) -> Figure:
    """Draw the mean Dice over the regions against minutes: a line per method, or a dot for a single point."""
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    axis = figure.subplots()
    for (name, points), color in zip(methods.items(), METHODS, strict=False):
        minutes = sorted(points)
        axis.plot(
            minutes,
            [points[time]["mean"] for time in minutes],
            "o-",
            color=color,
            markersize=4,
            linewidth=1.4,
            label=name,
        )
    axis.set_xscale("log")
    ticks = sorted({time for points in methods.values() for time in points})
    axis.set_xticks(ticks, [f"{time:g}" for time in ticks])
    axis.minorticks_off()
    axis.set_xlabel("minutes of training")
    axis.set_title("Dice, mean of WT, TC and ET")
    axis.set_ylim(0, 1)
    axis.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@click.command(help=__doc__)
@click.option(
    "points", "--point", type=(str, float, click.Path(exists=True, path_type=Path)), multiple=True, required=True,
    help="Method, minutes, and a study's folder or a peer's JSON file (repeatable).",
)  # fmt: skip
@click.option(
    "--picture", type=click.Path(path_type=Path), required=True, help="PNG file to write; an SVG is written next to it."
)
def main(points: tuple[tuple[str, float, Path], ...], picture: Path) -> None:
    methods: dict[str, Points] = {}
    for name, minutes, path in points:
        methods.setdefault(name, {})[minutes] = means(path)
    columns = (*EVERYWHERE, "mean")
    click.echo(f"| method | minutes | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for name, found in methods.items():
        for minutes, scores in sorted(found.items()):
            cells = [f"{scores[column]:.3f}" for column in columns]
            click.echo(f"| {name} | {minutes:g} | {' | '.join(cells)} |")
    save(draw(methods), picture)


if __name__ == "__main__":
    main()
