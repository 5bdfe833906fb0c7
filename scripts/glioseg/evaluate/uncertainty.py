"""How sure segmentations are, beside how good they turned out: a row per subject."""

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
    """A row of `UNCERTAINTY_COLUMNS` per predicted subject with a JSON file of predict, the most uncertain first.

    folder: that of predict; cohort: rows of cohort.tsv; dice: subject -> mean over WT, TC and ET. The column dice is
    empty where there is no mask. Raises ValueError naming a file that holds no such thing.
    """
    folds = {row["subject"]: row["fold"] for row in cohort}
    rows = []
    for subject in predicted_subjects(cohort):
        path = folder / f"{subject}.json"
        if path.is_file():
            rows.append({"subject": subject, "fold": folds[subject], **_read(path), "dice": _digits(dice.get(subject))})
    return sorted(rows, key=lambda row: (-float(row["uncertainty"]), row["subject"]))


def mean_dice(evaluations: Iterable[dict]) -> dict[str, float]:
    """Subject -> mean Dice over WT, TC and ET, of what `evaluate` writes."""
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
        raise ValueError(f"{path}: expected how sure a segmentation is ({error!r}); predict it anew") from error


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"
