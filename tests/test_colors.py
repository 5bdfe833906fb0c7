"""Each meaning has one color, which is stated once and differs from its neighbors for color-blind readers, too."""

import re
from itertools import combinations

import numpy as np
import pytest
from studies import ROOT

from glioseg.colors import (
    BASELINES,
    BRAIN_OUTLINE,
    ERRORS,
    GREY,
    INK,
    NETWORK_COLOR,
    REGION_COLORS,
    TISSUES,
    TRUTH,
    rgb,
)
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


def test_no_color_has_two_meanings():
    meanings = [*TISSUES.values(), *ERRORS.values(), TRUTH, NETWORK_COLOR, *BASELINES, BRAIN_OUTLINE]
    assert len({rgb(color) for color in meanings}) == len(meanings)


def test_figures_take_colors_by_their_meaning():
    for path in (ROOT / "scripts/glioseg").rglob("*.py"):
        if path.name != "colors.py":
            assert not re.search(r"\b(ORANGE|BLUE|VERMILION|GREEN|PURPLE)\b", path.read_text()), path


# Machado, Oliveira & Fernandes 2009, doi:10.1109/TVCG.2009.113, severity 1, for linear red, green and blue.
SEEN = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
LEAST = 15  # CIE76; about six just noticeable differences
# What is seen at the same time: on scans, which are grey, and on paper.
TOGETHER = {
    "on scans": {**TISSUES, **ERRORS, "outline": BRAIN_OUTLINE, "truth": TRUTH, "background": "#000000"},
    "on paper": {"network": NETWORK_COLOR, **dict(enumerate(BASELINES)), "ink": INK, "paper": "#FFFFFF"},
    "lines": {"network": NETWORK_COLOR, "training": GREY, "mean": INK, "paper": "#FFFFFF"},
}


def lab(color: str, seen) -> np.ndarray:
    """CIE L*a*b* of a color as it is seen."""
    share = np.array(rgb(color)) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    x, y, z = XYZ @ np.clip(seen @ linear, 0, 1) / XYZ.sum(axis=1)
    x, y, z = (np.cbrt(part) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_simulation_confuses_red_and_green():
    assert np.linalg.norm(lab("#ff0000", SEEN["usual"]) - lab("#00c000", SEEN["usual"])) > 100
    red, green = (lab(color, np.array(SEEN["deuteranopia"])) for color in ("#e00000", "#807000"))
    assert np.linalg.norm(red - green) < LEAST


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("place", TOGETHER)
def test_meanings_that_appear_together_differ_for_every_reader(kind, place):
    seen = {name: lab(color, np.array(SEEN[kind])) for name, color in TOGETHER[place].items()}
    apart = {(one, other): np.linalg.norm(seen[one] - seen[other]) for one, other in combinations(seen, 2)}
    assert min(apart.values()) >= LEAST, min(apart, key=apart.get)
