"""Scores of a few subjects, in the format of evaluate and summarize."""

from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.summary import SUBJECT_COLUMNS


def subjects(dice: dict[str, float], method: str = "network") -> list[dict]:
    """Return rows of subjects.tsv: this Dice for WT and TC, half of it for ET, and scores that compare ignores."""
    rows = []
    for name, value in dice.items():
        for region, score in (("WT", value), ("TC", value), ("ET", value / 2), ("edema", 0.1)):
            rows.append((method, name, name, "0", region, "dice", score))
            rows.append((method, name, name, "0", region, "hd95_mm", 3.0))
    return [dict(zip(SUBJECT_COLUMNS, row, strict=True)) for row in rows]


FOLDS = {"a": "test", "b": "0", "c": "1", "d": "test", "seen": "train", "unlabelled": "new", "broken": ""}


def evaluation(subject: str, dice: tuple[float, float, float]) -> dict:
    others = {**dict.fromkeys(METRICS, 0.5), "truth_ml": 3.0, "predicted_ml": 4.0}
    regions = {name: {**others, "dice": value} for name, value in zip(("WT", "TC", "ET"), dice, strict=True)}
    nothing = {
        name: {} for name in ("classes", "lesions", "confusion", "calibration", "uncalibrated", "contradictions")
    }
    return {"subject": subject, "regions": regions, **nothing}


def baseline(subject: str, dice: float) -> list[dict]:
    rows = [("FLAIR threshold", subject, region, str(dice)) for region in ("WT", "TC", "ET")]
    return [dict(zip(("method", "subject", "region", "dice"), row, strict=True)) for row in rows]


EVALUATIONS = [
    evaluation("a", (0.9, 0.6, 0.3)),
    evaluation("b", (0.8, 0.8, 0.8)),
    evaluation("c", (0.6, 0.3, 0.0)),
    evaluation("d", (0.1, 0.1, 0.1)),
]


def pick(scores: list[dict], **which: str) -> dict:
    (row,) = [row for row in scores if all(row[key] == value for key, value in which.items())]
    return row
