"""One color for one meaning, the same in figures, in the report, and in the tables for other viewers."""

# Okabe & Ito 2008, "Color universal design": distinguishable with every common kind of color blindness.
ORANGE, BLUE, VERMILION, GREEN, PURPLE = "#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7"
INK, GREY = "#222222", "#8A8A8A"
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
# The network and what it does to subjects that it did not learn from; the baselines, in the order of a table, are grey.
NETWORK_COLOR = BLUE
BASELINES = ("#4D4D4D", "#9C9C9C", "#C9C9C9")
# Where prediction and truth differ. These colors lie on scans, beside those of the tissues and the white truth.
TRUTH = "#FFFFFF"
ERRORS = {"false negative": ORANGE, "false positive": "#6633FF", "wrong class": "#66FF99"}
BRAIN_OUTLINE = "#FF0066"


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue (0 to 255) of a color in hexadecimal digits, with or without # before them."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue
