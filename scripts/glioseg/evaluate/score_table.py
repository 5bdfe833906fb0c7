"""The mean scores of each method as text. Loads no NumPy, since the Snakefile prints it."""

import math
from collections.abc import Iterable, Sequence

from glioseg.labels import EVERYWHERE, REGIONS

NETWORK = "network"
# Not a region: the mean of a subject over the three that every data set has, taken before any mean over subjects.
MEAN = "mean"
# The regions in the order of tables; what only some data sets have comes after the mean that it has no part in.
TABLE_ORDER = (*EVERYWHERE, MEAN, *(name for name in REGIONS if name not in EVERYWHERE))
DASH = "\N{EN DASH}"  # where a table has no number


def score_table(scores: Iterable[dict]) -> str:
    """Mean Dice of each method as an aligned text table, from `summarize_scores` or the rows of scores.tsv.

    A region that not all subjects of a method have says of how many it is. No scores: a sentence that says so.
    """
    scores = [row for row in scores if row["metric"] == "dice"]
    if not scores:
        return "No subject was scored: none has both a mask and a model that never saw it."
    subjects: dict[str, int] = {}
    for row in scores:
        subjects[row["method"]] = max(subjects.get(row["method"], 0), int(row["n"]))
    cells = {method: {"subjects": str(count)} for method, count in subjects.items()}
    for row in scores:
        low, high = float(row["ci_low"]), float(row["ci_high"])
        interval = "" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]"
        fewer = f" of {row['n']}" if int(row["n"]) < subjects[row["method"]] else ""
        cells[row["method"]][row["region"]] = f"{float(row['mean']):.3f}{interval}{fewer}"
    found = {row["region"] for row in scores}
    header = ("subjects", *(name for name in TABLE_ORDER if name in (*EVERYWHERE, MEAN) or name in found))
    lines = [("Dice", *header), *((method, *(row.get(name, DASH) for name in header)) for method, row in cells.items())]
    return "\n".join([*aligned(lines), "Mean over subjects, with its 95 % interval."])


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells, a header first, as lines of text in columns, with a rule below the header."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return [text[0], "-" * max(map(len, text)), *text[1:]]
