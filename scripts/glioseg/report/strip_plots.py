"""Positions of boxes and points in the report's plots, in SVG units from the top left corner."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from glioseg.colors import REGION_COLORS
from glioseg.evaluate.metrics import ABSENT_HD95_MM
from glioseg.labels import REGION_NAMES
from glioseg.plot.style import dice_floor, distance_ticks

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 480, 320, 52, 30, 30
MANY = 60  # subjects; with more, the points are smaller
BOX_FROM = 5  # points; with fewer, only the median is drawn, because quartiles say little

TITLES = {"dice": ("Dice: higher is better", 3), "hd95_mm": ("HD95 (mm): lower is better", 1)}  # with decimals


def strip_plots(table: Sequence[dict], regions: Sequence[str]) -> list[dict]:
    """One plot per metric in the rows of `subject_table`, with a box per region and a point per subject."""
    plots = []
    for metric, (title, digits) in TITLES.items():
        values = {name: _subject_values(table, metric, name) for name in regions}
        values = {name: found for name, found in values.items() if found}
        if values:
            ticks, scale = _axis(metric, [value for found in values.values() for _, value in found])
            radius = 4.5 if len(table) <= MANY else 2.6
            room = (WIDTH - LEFT) / len(values)
            groups = [
                _group(name, found, digits, scale, LEFT + room * (place + 0.5), room, radius)
                for place, (name, found) in enumerate(values.items())
            ]
            marks = [(_height(scale(tick)), "absent" if tick == ABSENT_HD95_MM else f"{tick:g}") for tick in ticks]
            frame = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "radius": radius}
            plots.append({"title": title, "ticks": marks, "groups": groups, **frame})
    return plots


def swarm(heights: Sequence[float], radius: float, half: float) -> list[float]:
    """Horizontal offsets of points of this radius at these heights so that they do not overlap, if there is room.

    Points are grouped into bands as high as a point. Within a band they are placed left and right of the middle in
    turn, at most `half` away from it.
    """
    bands: dict[int, list[int]] = {}
    for place, height in enumerate(heights):
        bands.setdefault(int(height // (2 * radius)), []).append(place)
    offsets = [0.0] * len(heights)
    for band in bands.values():
        step = min(2 * radius, 2 * half / len(band))
        sides = sorted(((rank - (len(band) - 1) / 2) * step for rank in range(len(band))), key=abs)
        for offset, place in zip(sides, band, strict=True):
            offsets[place] = round(offset, 1)
    return offsets


def _axis(metric: str, values: Sequence[float]) -> tuple[Sequence[float], Callable[[float], float]]:
    """The ticks of a metric, and the height of a value between bottom (0) and top (1)."""
    if metric == "dice":
        low = dice_floor(values)
        return np.linspace(low, 1, 6).round(2), lambda value: (value - low) / (1 - low)
    ticks = distance_ticks(values)
    return ticks, lambda value: math.log1p(value) / math.log1p(ticks[-1])


def _subject_values(table: Sequence[dict], metric: str, region: str) -> list[tuple[str, float]]:
    pairs = [(row["subject"], row.get(metric, {}).get(region, math.nan)) for row in table]
    return sorted((pair for pair in pairs if not math.isnan(pair[1])), key=lambda pair: (pair[1], pair[0]))


def _group(name: str, found: list, digits: int, scale: Callable, x: float, room: float, radius: float) -> dict:
    numbers = np.array([value for _, value in found])
    q1, median, q3 = np.percentile(numbers, (25, 50, 75))
    reach = 1.5 * (q3 - q1)
    ends = numbers[(numbers >= q1 - reach) & (numbers <= q3 + reach)]
    box = {"q1": q1, "q3": q3, "low": ends.min(), "high": ends.max()} if len(found) >= BOX_FROM else {}
    heights = [_height(scale(value)) for _, value in found]
    offsets = swarm(heights, radius, 0.4 * room)
    return {
        "region": name,
        "name": REGION_NAMES[name],
        "color": REGION_COLORS[name],
        "x": round(x, 1),
        "half": round(0.3 * room, 1),
        "median": _height(scale(median)),
        "box": {end: _height(scale(value)) for end, value in box.items()},
        "points": [
            {"subject": subject, "label": f"{value:.{digits}f}", "x": round(x + offset, 1), "y": height}
            for (subject, value), height, offset in zip(found, heights, offsets, strict=True)
        ],
    }


def _height(share: float) -> float:
    return round(float(HEIGHT - BOTTOM - min(max(share, 0), 1) * (HEIGHT - TOP - BOTTOM)), 1)
