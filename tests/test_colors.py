"""Each tissue has one color, which is stated once."""

from studies import ROOT

from glioseg.colors import REGION_COLORS, TISSUES, rgb
from glioseg.labels import CLASSES, REGIONS


def test_every_tissue_and_region_has_a_color_of_its_own():
    assert tuple(TISSUES) == CLASSES[1:]
    assert set(REGION_COLORS) == set(REGIONS)
    assert len({rgb(color) for color in TISSUES.values()}) == len(TISSUES)
    assert rgb("#E69F00") == (230, 159, 0)


def test_no_other_file_repeats_the_color_of_a_tissue():
    library = ROOT / "scripts/glioseg"
    files = [path for path in library.rglob("*.*") if path.suffix in (".py", ".j2", ".css", ".js")]
    found = {
        path.name for path in files if any(color.lower() in path.read_text().lower() for color in TISSUES.values())
    }
    assert found == {"colors.py"}
