"""Tables of the values in a label map, with the name and the color of each, for viewers of images."""

from typing import NamedTuple

from glioseg.colors import TISSUES, rgb
from glioseg.labels import DIALECTS

NO_COLOR = "#000000"


class Label(NamedTuple):
    """A value of a label map, the tissue that it means, and its color in hexadecimal digits."""

    value: int
    tissue: str
    color: str


def labels_of(dialect: str) -> list[Label]:
    """All values of a label dialect in ascending order; the background is black."""
    return [Label(value, name, TISSUES.get(name, NO_COLOR)) for value, name in sorted(DIALECTS[dialect].items())]


def itk_snap(dialect: str) -> str:
    """The text of a label description file of ITK-SNAP, which is loaded with Segmentation > Import Label Descriptions.

    A line has the value, red, green and blue (0 to 255), opacity (0 to 1), whether the label is shown in slices and
    as a surface (0 or 1), and its name. The background is not shown.
    """
    lines = [
        "################################################",
        "# ITK-SnAP Label Description File",
        "# File format: ",
        "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL",
        "################################################",
    ]
    for value, tissue, color in labels_of(dialect):
        red, green, blue = rgb(color)
        shown = int(value > 0)
        lines.append(f'{value:5d} {red:5d} {green:4d} {blue:4d} {shown:8d} {shown:2d} {shown:2d}    "{tissue}"')
    return "\n".join(lines) + "\n"


def slicer(dialect: str) -> str:
    """The text of a color table of 3D Slicer (.ctbl), which is loaded like any other file with Add Data.

    A line has the value, the name, and red, green, blue and opacity (0 to 255). The background is transparent.
    """
    labels = labels_of(dialect)
    lines = ["# Color table file", f"# {len(labels)} values"]
    lines += [
        f"{value} {tissue} {' '.join(map(str, rgb(color)))} {255 * (value > 0)}" for value, tissue, color in labels
    ]
    return "\n".join(lines) + "\n"
