"""Diagram of a network as a U: a slab per feature map, a row per resolution, arrows for the connections."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle

from glioseg.colors import GREY, INK, NETWORK_COLOR
from glioseg.model_files import models_of
from glioseg.plot.network_stages import TIMES, Stage
from glioseg.plot.network_stages import stages as find_stages
from glioseg.predict.keras_file import read_layers

# Tints of the network's color, and hatches, because other colors mean tissues or errors.
TINT = "#b9d7ea"
COLORS = {"input": "#f2f2f2", "skipped": "white", "output": NETWORK_COLOR}
HATCHES = {"strided": "\\\\\\\\", "transposed": "////", "upsampled": "...."}
DOTTED = (0, (1, 1))
WORDS = {
    "convolution": "convolution",
    "strided": "strided convolution",
    "transposed": "transposed convolution",
    "upsampled": "upsampling",
    "skipped": "copied feature map",
    "output": "output",
}
SLABS_AT_MOST = 4  # per stage; of more, only the first two and the last are drawn, with a count of the others
ROW, GAP = 1.75, 0.34  # height of a row and gap between slabs; slabs of the first row are 1.15 high
HIDDEN = 0.9  # width of the count of slabs that are not drawn
INCH_PER_UNIT, WIDEST_INCH, BESIDE_INCH = 0.6, 10.5, (1.4, 1.1)
LEGEND_INCH = 7  # the width of the legend, which is wider than a small network


def draw(inputs: Sequence[Path]) -> Figure:
    """Draw the network of a model.keras, or of the first model in a bundle."""
    (place,) = inputs
    return network(find_stages(*read_layers(models_of(place)[0])))


def network(stages: list[Stage]) -> Figure:
    """Draw the stages that `network_stages.stages` returns.

    A network that downsamples again after upsampling is not a U; its stages are drawn as a staircase in their order.
    """
    factors = sorted({stage.factor for stage in stages})
    first_up = next((place for place, stage in enumerate(stages) if stage.up), len(stages))
    steps = [stage.factor for stage in stages]
    is_u = steps[:first_up] == sorted(steps[:first_up]) and steps[first_up:] == sorted(steps[first_up:], reverse=True)
    common = _common(stages)
    figure = Figure()
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    drawn: list[dict] = []
    for place, stage in enumerate(stages):
        row = factors.index(stage.factor) if is_u else place
        above = drawn[-1]["last"] if drawn else 0.0
        for source, _, channels in stage.skips:
            beside = drawn[_place(stages, source)]["right"] + 0.7 + _width(channels)
            above = max(above, beside + _width(stage.slabs[0].channels) / 2 if stage.slabs else beside)
        drawn.append(_draw(axis, stage, above, -row * ROW, 1.15 / (1 + 0.3 * row), common))
        if place:
            _connect(axis, drawn[-2], drawn[-1], stage)
        for source, _, _ in stage.skips:
            start = drawn[_place(stages, source)]
            points = (start["right"] + 0.06, start["middle"]), (drawn[-1]["left"] - 0.06, drawn[-1]["middle"])
            _arrow(axis, *points, GREY, linestyle=(0, (4, 3)))
    _fit(figure, axis, drawn)
    figure.legend(handles=_handles(stages), loc="lower center", ncols=4, fontsize=8, bbox_to_anchor=(0.5, 0.05))
    words = ", ".join(common)
    if words:
        figure.text(0.5, 0.02, f"With every convolution: {words}.", ha="center", fontsize=8, color=INK)
    return figure


def _draw(axis: Axes, stage: Stage, above: float, middle: float, height: float, common: list[str]) -> dict:
    """Draw a stage with its first slab that is not a copy centered at x = `above`; returns the stage's position."""
    slabs = [(slab.made_by, slab.channels) for slab in stage.slabs]
    hidden = len(slabs) - SLABS_AT_MOST
    if hidden > 0:
        slabs[2:-1] = [("hidden", hidden + 1)]
    copies = [("skipped", channels) for _, _, channels in stage.skips]
    left = above - _width(slabs[0][1] if slabs else None) / 2 - sum(_width(channels) for _, channels in copies)
    at = {"left": left, "middle": middle, "height": height, "last": above, "first": above}
    x, glued = left, True
    for made_by, channels in copies + slabs:
        if not glued and made_by != "hidden":
            _arrow(axis, (x + 0.03, middle), (x + GAP - 0.03, middle), INK)
            x += GAP
        if made_by == "hidden":
            axis.text(x + HIDDEN / 2, middle, f"…\n{channels}\nmore", ha="center", va="center", fontsize=7.5, color=INK)
            x += HIDDEN
        else:
            x += _slab(axis, x, middle, height, made_by, channels)
            at["last"] = x - _width(channels) / 2
        glued = made_by == "skipped"
    at["right"] = x
    for words in stage.outputs:
        if x > left:
            _arrow(axis, (x + 0.03, middle), (x + GAP - 0.03, middle), INK)
            x += GAP
        x += _slab(axis, x, middle, height, "output", None)
        axis.text(x + 0.08, middle, words.replace(", ", "\n"), va="center", fontsize=8, color=INK)
        at["right"] = x
    notes = [
        f"{count} {TIMES} {name}" if count > 1 else name
        for name, count in stage.notes.items()
        if count and name not in common
    ]
    if stage.up:  # next to the arrow from below
        place, align = (at["first"] + 0.12, middle - height / 2 - 0.07), "left"
    else:
        place, align = (left - 0.1, middle - 0.14), "right"
        axis.text(left - 0.1, middle, _size(stage), ha="right", va="center", fontsize=8.5, color=INK, fontweight="bold")
    axis.text(*place, "\n".join(notes), ha=align, va="top", fontsize=7.5, color="#666666")
    return at


def _slab(axis: Axes, left: float, middle: float, height: float, made_by: str, channels: int | None) -> float:
    """Draw one slab with its number of channels above it; returns its width."""
    width = _width(channels)
    axis.add_patch(Rectangle((left, middle - height / 2), width, height, **_look(made_by)))
    if channels:
        axis.text(left + width / 2, middle + height / 2 + 0.05, str(channels), ha="center", va="bottom", fontsize=8)
    return width


def _look(made_by: str) -> dict:
    return {
        "facecolor": COLORS.get(made_by, TINT),
        "hatch": HATCHES.get(made_by),
        "edgecolor": INK,
        "linewidth": 0.7,
        "hatch_linewidth": 0.5,
    }


def _connect(axis: Axes, before: dict, after: dict, stage: Stage) -> None:
    """Draw the arrow from the last slab of a stage to the first of the next; pooling is dotted."""
    sign = 1 if after["middle"] > before["middle"] else -1
    end = after["first"], after["middle"] - sign * (after["height"] / 2 + (0.28 if sign < 0 else 0.04))
    line = {"linewidth": 1.6, "linestyle": DOTTED if stage.pooled else "-"}
    if after["first"] > before["last"] + 0.01:  # moved right, to leave room for the skip connection
        start = before["right"] + 0.04, before["middle"]
        _arrow(axis, start, end, INK, **line, connectionstyle="angle,angleA=0,angleB=90,rad=0")
    else:
        start = before["last"], before["middle"] + sign * (before["height"] / 2 + (0.28 if sign > 0 else 0.04))
        _arrow(axis, start, end, INK, **line)


def _place(stages: list[Stage], wanted: Stage) -> int:
    return next(place for place, stage in enumerate(stages) if stage is wanted)


def _arrow(
    axis: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    color: str,
    linewidth: float = 1.0,
    linestyle: str | tuple = "-",
    connectionstyle: str = "arc3",
) -> None:
    shape = {"arrowstyle": "-|>", "mutation_scale": 8, "shrinkA": 0, "shrinkB": 0, "joinstyle": "miter"}
    line = {"color": color, "linewidth": linewidth, "linestyle": linestyle, "connectionstyle": connectionstyle}
    axis.add_patch(FancyArrowPatch(start, end, **shape, **line))


def _width(channels: int | None) -> float:
    """The width of a slab: it grows with the logarithm of the channels, so that both 16 and 512 are visible."""
    return 0.2 + 0.065 * (channels or 1).bit_length()


def _size(stage: Stage) -> str:
    if not stage.size:
        return "any size" if stage.factor == 1 else f"1/{stage.factor:g}"
    if len(set(stage.size)) == 1:
        return f"{stage.size[0]}{'²' if len(stage.size) == 2 else '³'}"
    return TIMES.join(str(length) for length in stage.size)


def _common(stages: list[Stage]) -> list[str]:
    """Notes that at least two thirds of the stages with a plain convolution share; the diagram shows them only once."""
    convolved = [stage for stage in stages if any(slab.made_by == "convolution" for slab in stage.slabs)]
    counted = Counter(name for stage in convolved for name, count in stage.notes.items() if count)
    shared = [name for name, count in counted.items() if 3 * count >= 2 * len(convolved) and "dropout" not in name]
    return sorted(shared, key=lambda name: (not name.startswith("kernel"), "Norm" not in name))


def _fit(figure: Figure, axis: Axes, drawn: list[dict]) -> None:
    """Set the limits and size so that all stages fit, with fixed margins for the text on both sides and the legend."""
    left, right = min(at["left"] for at in drawn), max(at["right"] for at in drawn)
    unit = min(INCH_PER_UNIT, (WIDEST_INCH - sum(BESIDE_INCH)) / (right - left))
    width = (right - left) * unit + sum(BESIDE_INCH)
    spare = max(0, LEGEND_INCH - width) / 2
    axis.set_xlim(left - (BESIDE_INCH[0] + spare) / unit, right + (BESIDE_INCH[1] + spare) / unit)
    top = max(at["middle"] + at["height"] / 2 for at in drawn) + 0.4
    bottom = min(at["middle"] - at["height"] / 2 for at in drawn) - 1.6
    axis.set_ylim(bottom, top)
    figure.set_size_inches(width + 2 * spare, (top - bottom) * INCH_PER_UNIT)


def _handles(stages: list[Stage]) -> list[Patch | Line2D]:
    """Legend handles of the elements that the stages contain."""
    made_by = {slab.made_by for stage in stages for slab in stage.slabs} | {"output"}
    made_by |= {"skipped"} if any(stage.skips for stage in stages) else set()
    handles: list = [Patch(**_look(name), label=words) for name, words in WORDS.items() if name in made_by]
    for pooled in sorted({stage.pooled for stage in stages} - {""}):
        handles.append(Line2D([], [], color=INK, linewidth=1.6, linestyle=DOTTED, label=f"{pooled} pooling"))
    for merge in sorted({merge for stage in stages for _, merge, _ in stage.skips}):
        handles.append(Line2D([], [], color=GREY, linestyle=(0, (4, 3)), label=f"skip connection ({merge})"))
    return handles
