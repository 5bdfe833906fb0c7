"""Which subjects the report shows in figures, which have a page, and which pages have the viewer.

Does not load NumPy, because the rules import it.
"""

import math
import statistics

from glioseg.choices import choose
from glioseg.evaluate.score_table import NETWORK
from glioseg.labels import EVERYWHERE
from glioseg.report.run import Rows
from glioseg.split.models import predicted_subjects

VIEWERS = ("all", "gallery", "none")


def paged_subjects(cohort: Rows) -> set[str]:
    """The subjects that have a page: all but those for training only, of which it would have nothing to show."""
    return {row["subject"] for row in cohort if row["fold"] != "train"}


def subject_table(subjects: Rows) -> list[dict]:
    """The network's scores, lowest mean Dice first: one row {"subject", "fold", "mean", metric: {region: …}} each.

    A missing score is NaN; subjects without a mean come first.
    """
    found: dict[str, dict] = {}
    for row in subjects:
        if row["method"] == NETWORK:
            of_subject = found.setdefault(row["subject"], {"subject": row["subject"], "fold": row["fold"]})
            of_subject.setdefault(row["metric"], {})[row["region"]] = float(row["value"] or "nan")
    for of_subject in found.values():
        dice = of_subject.setdefault("dice", {})
        of_subject["mean"] = statistics.fmean(dice.get(name, math.nan) for name in EVERYWHERE)
    return sorted(found.values(), key=lambda row: (not math.isnan(row["mean"]), row["mean"], row["subject"]))


def both_ends(table: list[dict], count: int) -> tuple[list[dict], list[dict]]:
    """The `count` first and last rows, the last ones reversed; all rows in the first list if the two would overlap."""
    if len(table) <= 2 * count:
        return table, []
    return table[:count], table[: -count - 1 : -1]


def unscored_subjects(cohort: Rows, table: list[dict], uncertainty: Rows) -> list[str]:
    """The predicted subjects without scores, most uncertain first, because those are most worth a look."""
    scored, uncertainty_of = (
        {row["subject"] for row in table},
        {row["subject"]: row["uncertainty"] for row in uncertainty},
    )
    unscored = [subject for subject in predicted_subjects(cohort) if subject not in scored]
    return sorted(unscored, key=lambda subject: -float(uncertainty_of.get(subject, 0)))


def viewed(viewer: str, cohort: Rows, subjects: Rows, uncertainty: Rows, gallery: int) -> list[str]:
    """The predicted subjects whose page has the interactive viewer: all, none, or those in the gallery.

    subjects, uncertainty: rows of these tables; only viewer = "gallery" needs them. Raises ValueError for an unknown
    `viewer`.
    """
    choose("viewer", viewer, VIEWERS)
    predicted = [] if viewer == "none" else predicted_subjects(cohort)
    if viewer == "gallery":
        table = subject_table(subjects)
        worst, best = both_ends(table, gallery)
        shown = {row["subject"] for row in worst + best} | {*unscored_subjects(cohort, table, uncertainty)[:gallery]}
        return [subject for subject in predicted if subject in shown]
    return predicted
