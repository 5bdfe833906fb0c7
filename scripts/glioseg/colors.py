"""The colors of tissues and regions: the same in figures, in the report, and in the tables for other viewers."""

# Okabe & Ito 2008, "Color universal design": distinguishable with every common kind of color blindness.
ORANGE, BLUE, VERMILION, GREEN, PURPLE = "#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
# By class, in the order of CLASSES. A cavity is surrounded by edema: of the remaining colors, green differs most from
# blue for red-green blind readers.
TISSUES = {"necrosis": VERMILION, "edema": "#56B4E9", "enhancing": "#F0E442", "cavity": GREEN, "cyst": PURPLE}
# A region has the color of one of its tissues: the whole tumor that of edema, its rim; the tumor core that of necrosis.
REGION_COLORS = {
    "WT": TISSUES["edema"],
    "TC": TISSUES["necrosis"],
    "ET": TISSUES["enhancing"],
    "RC": TISSUES["cavity"],
}


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue (0 to 255) of a color in hexadecimal digits, with or without # before them."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue
