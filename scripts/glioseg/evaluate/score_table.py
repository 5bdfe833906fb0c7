"""Format the mean scores of each method as text. NumPy is not loaded, since the Snakefile uses this module."""

import math
from collections.abc import Iterable, Sequence

from glioseg.labels import EVERYWHERE, REGIONS

NETWORK = "network"
# Not a region: a subject's mean over WT, TC and ET, computed before any mean over subjects.
MEAN = "mean"
# The order of regions in tables. Regions that only some data sets have follow the mean, which does not include them.
TABLE_ORDER = (*EVERYWHERE, MEAN, *(name for name in REGIONS if name not in EVERYWHERE))
DASH = "\N{EN DASH}"  # shown where a table has no number


def score_table(scores: Iterable[dict]) -> str:
    """Return the mean Dice of each method as an aligned text table, from `summarize_scores` or the rows of scores.tsv.

    If not all subjects of a method have a region, its cell shows their number. No scores: a sentence that says so.
    """
    scores = [row for row in scores if row["metric"] == "dice"]
    if not scores:
        return "No subject was scored: none has both a mask and a model not trained on it."
    subjects: dict[str, int] = {}
    for row in scores:
        subjects[row["method"]] = max(subjects.get(row["method"], 0), int(row["n"]))
    several = {row["method"]: row["patients"] for row in scores if int(row["patients"]) < int(row["n"])}
    cells = {
        method: {"subjects": f"{count}" + (f" of {several[method]} patients" if method in several else "")}
        for method, count in subjects.items()
    }
    for row in scores:
        # A table has nothing where an interval is unknown.
        low, high = (math.nan if row[name] == "" else float(row[name]) for name in ("ci_low", "ci_high"))
        interval = "" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]"
        fewer = f" (n = {row['n']})" if int(row["n"]) < subjects[row["method"]] else ""
        cells[row["method"]][row["region"]] = f"{float(row['mean']):.3f}{interval}{fewer}"
    found = {row["region"] for row in scores}
    header = ("subjects", *(name for name in TABLE_ORDER if name in (*EVERYWHERE, MEAN) or name in found))
    lines = [("Dice", *header), *((method, *(row.get(name, DASH) for name in header)) for method, row in cells.items())]
    drawn = ", which resamples patients" if several else ""
    return "\n".join([*aligned(lines), f"Mean over subjects with 95 % bootstrap interval{drawn}."])


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return lines of cells, the header first, as lines of text in aligned columns with a rule below the header."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return [text[0], "-" * max(map(len, text)), *text[1:]]
