"""A table of the uncertainty and the Dice of each subject's segmentation."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from glioseg.labels import EVERYWHERE
from glioseg.split.models import predicted_subjects

UNCERTAINTY_COLUMNS = (
    "subject",
    "fold",
    "uncertainty",
    *(f"expected_{name}" for name in EVERYWHERE),
    "entropy",
    "dice",
)


def uncertainty_rows(folder: Path, cohort: list[dict], dice: Mapping[str, float]) -> list[dict]:
    """Return a row of `UNCERTAINTY_COLUMNS` for each subject with a JSON file from predict, the most uncertain first.

    folder: the output of predict; cohort: rows of cohort.tsv; dice: subject -> mean over WT, TC and ET. The column dice
    is empty for a subject without a mask. Raises ValueError naming the file if it is unusable.
    """
    folds = {row["subject"]: row["fold"] for row in cohort}
    rows = []
    for subject in predicted_subjects(cohort):
        path = folder / f"{subject}.json"
        if path.is_file():
            rows.append({"subject": subject, "fold": folds[subject], **_read(path), "dice": _digits(dice.get(subject))})
    return sorted(rows, key=lambda row: (-float(row["uncertainty"]), row["subject"]))


def mean_dice(evaluations: Iterable[dict]) -> dict[str, float]:
    """Return subject -> mean Dice over WT, TC and ET, from the output of `evaluate`."""
    return {
        scores["subject"]: sum(scores["regions"][name]["dice"] for name in EVERYWHERE) / len(EVERYWHERE)
        for scores in evaluations
    }


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        expected = {f"expected_{name}": _digits(found["expected_dice"][name]) for name in EVERYWHERE}
        return {"uncertainty": _digits(found["uncertainty"]), **expected, "entropy": _digits(found["entropy"])}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: expected the uncertainty of a segmentation ({error!r}); predict it again") from error


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"
