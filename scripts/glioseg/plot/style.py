"""The palette, font size and file formats of all figures."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image

from glioseg.colors import BASELINES, GREY, INK, NETWORK_COLOR, TISSUES
from glioseg.evaluate.metrics import ABSENT_HD95_MM
from glioseg.files import whole

FAINT = "#d9d9d9"
# Every data set has these classes, so every legend shows them; the others are shown only if they were found.
COMMON = ("necrosis", "edema", "enhancing")
METHODS = (NETWORK_COLOR, *BASELINES)  # in the order in which methods appear in a table

DOTS_PER_INCH, PRINT_DOTS_PER_INCH = 110, 300
PRINT_MM = 180
GREYS = 64
GREY_WITHIN = 6  # of 255: a pixel is grey if its channels differ by at most this

matplotlib.use("Agg")
matplotlib.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid.axis": "y",
        "grid.color": "#ececec",
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        # Keep the text of an SVG as text, and its ids the same in every run.
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
        "svg.hashsalt": "glioseg",
    }
)


def shown_tissues(found: Iterable[str]) -> list[str]:
    """The classes of a legend, in the order of TISSUES: those that every data set has and others that were found."""
    shown = {*COMMON, *found}
    return [name for name in TISSUES if name in shown]


def tissue_handles(names: Iterable[str]) -> list[Patch]:
    """Legend handles of these tissue classes."""
    return [Patch(facecolor=TISSUES[name], edgecolor=INK, linewidth=0.4, label=name) for name in names]


def save(figure: Figure, path: Path) -> None:
    """Write a figure atomically as a small PNG (256 colors) and, next to it, as an SVG for print.

    In the SVG, text stays text and images have PRINT_DOTS_PER_INCH. The same figure gives the same bytes with the same
    versions of matplotlib and Pillow; no date is written.
    """
    with whole(path.with_suffix(".svg")) as partial:
        figure.savefig(partial, format="svg", dpi=PRINT_DOTS_PER_INCH, metadata={"Date": None})
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DOTS_PER_INCH, facecolor=figure.get_facecolor())
    image = _with_palette(Image.open(drawn).convert("RGB"))
    with whole(path) as partial:
        image.save(partial, format="png", optimize=True)


def save_pdf(figure: Figure, path: Path) -> None:
    """Write a figure as a PDF in which text stays text and images have PRINT_DOTS_PER_INCH; no date is written."""
    with whole(path) as partial:
        figure.savefig(partial, format="pdf", dpi=PRINT_DOTS_PER_INCH, metadata={"CreationDate": None})


def save_for_print(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG of PRINT_MM with PRINT_DOTS_PER_INCH and, next to it, as a PDF in which text stays text.

    As with `save`, the same figure gives the same bytes.
    """
    save_pdf(figure, path.with_suffix(".pdf"))
    width = PRINT_MM / 25.4 * PRINT_DOTS_PER_INCH
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=width / figure.get_size_inches()[0], facecolor=figure.get_facecolor())
    with whole(path) as partial:
        Image.open(drawn).convert("RGB").save(partial, format="png", dpi=[PRINT_DOTS_PER_INCH] * 2)


def _with_palette(image: Image.Image) -> Image.Image:
    """The image in 64 greys and the 192 colors closest to its colored pixels: a third of the size of true color."""
    pixels = np.asarray(image)
    colored = np.ptp(pixels.astype(np.int16), axis=-1) > GREY_WITHIN
    indices = (pixels[..., 1] * ((GREYS - 1) / 255)).round().astype(np.uint8)
    palette = np.repeat(np.linspace(0, 255, GREYS).round().astype(np.uint8), 3).tolist()
    if colored.any():
        few = Image.fromarray(pixels[colored][None]).quantize(256 - GREYS, method=Image.Quantize.MEDIANCUT)
        indices[colored] = GREYS + np.asarray(few)[0]
        palette += few.getpalette()
    reduced = Image.fromarray(indices, mode="P")
    reduced.putpalette(palette)
    return reduced


BOX_FROM = 5  # points; with fewer, only the median is drawn, because quartiles say little


def dice_axis(axis: Axes, dice: Iterable[float]) -> None:
    """Give the vertical axis the range of Dice from `dice_floor` to 1."""
    low = dice_floor(dice)
    axis.set(ylim=(low - 0.02 * (1 - low), 1 + 0.02 * (1 - low)), yticks=np.linspace(low, 1, 6))


def dice_floor(dice: Iterable[float]) -> float:
    """The lower end of an axis of Dice: 0, or 0.5 or 0.75 if every value is above it, so that points stay apart."""
    least = min((value for value in dice if value == value), default=0.0)
    return next((floor for floor in (0.75, 0.5) if least > floor), 0.0)


def distance_ticks(distances_mm: Iterable[float]) -> list[float]:
    """Ticks of an axis of HD95 from 0 to the first one that no value exceeds; the last is that of an absent region."""
    most = max(distances_mm, default=0.0)
    ticks = (0, 1, 2, 5, 10, 20, 50, 100, 200, ABSENT_HD95_MM)
    last = next((place for place, tick in enumerate(ticks) if tick >= most), len(ticks) - 1)
    return list(ticks[: max(last, 1) + 1])


def sentence(words: str) -> Figure:
    """A figure with only a sentence that says why there is nothing to show."""
    figure = Figure(figsize=(6, 1.5))
    figure.text(0.5, 0.5, words, ha="center", color=INK)
    return figure


def _boxes(axis: Axes, groups: Sequence[np.ndarray], place: int, places: int, color: str, first: int = 0) -> None:
    """Draw a box plot of each group at x = first, first + 1, …, and all its points on top.

    Whiskers reach the last point within 1.5 times the interquartile range. place, places: index and number of the boxes
    side by side at each x. An empty group leaves its place empty.
    """
    room = 0.8 / places
    for x, group in enumerate(groups, start=first):
        if not len(group):
            continue
        center = x + (place + 0.5) * room - 0.4
        if len(group) < BOX_FROM:
            axis.plot(
                (center - 0.31 * room, center + 0.31 * room), [np.median(group)] * 2, color=INK, linewidth=1.4, zorder=4
            )
        else:
            axis.boxplot(
                [group],
                positions=[center],
                widths=0.62 * room,
                showfliers=False,
                patch_artist=True,
                boxprops={"facecolor": color, "alpha": 0.3, "edgecolor": color},
                medianprops={"color": INK, "linewidth": 1.4, "zorder": 4},
                whiskerprops={"color": color},
                capprops={"color": color},
                manage_ticks=False,
            )
        # Steps of the golden ratio spread any number of points evenly and reproducibly.
        shifts = (np.arange(len(group)) * 0.618034 % 1 - 0.5) * 0.5 * room
        size = float(np.clip(160 / max(len(group), 1), 3, 16))
        axis.scatter(center + shifts, group, s=size, color=color, edgecolor="white", linewidth=0.3, zorder=3)
