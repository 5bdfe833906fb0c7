"""The tables for ITK-SNAP and 3D Slicer name every value of a label dialect, in the colors of the report."""

import re

import pytest

from glioseg.colors import TISSUES, rgb
from glioseg.labels import DIALECTS
from glioseg.volumes.label_tables import itk_snap, slicer


def expected(dialect):
    return {value: (name, rgb(TISSUES.get(name, "#000000"))) for value, name in DIALECTS[dialect].items()}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_label_descriptions_of_itk_snap(dialect):
    found, shown = {}, {}
    for line in itk_snap(dialect).splitlines():
        if not line.startswith("#"):
            number = r"\s+(\d+)"
            value, red, green, blue, *seen, name = re.fullmatch(rf"\s*(\d+){number * 6}\s+\"([^\"]+)\"", line).groups()
            found[int(value)] = name, (int(red), int(green), int(blue))
            shown[int(value)] = "".join(seen)
    assert found == expected(dialect)
    # Opacity, slices and surface: all but the background are shown.
    assert shown == {value: "111" if value else "000" for value in DIALECTS[dialect]}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_color_table_of_slicer(dialect):
    first, *lines = slicer(dialect).splitlines()
    # Slicer takes a file that does not begin with these words for a color scale.
    assert first.startswith("# Color table file")
    cells = [line.split(" ") for line in lines if not line.startswith("#")]
    found = {int(value): (name, (int(red), int(green), int(blue))) for value, name, red, green, blue, _ in cells}
    assert found == expected(dialect)
    assert {int(value): int(opacity) for value, *_, opacity in cells} == {
        value: 255 if value else 0 for value in DIALECTS[dialect]
    }
