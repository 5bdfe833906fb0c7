"""A table of the uncertainty and the Dice of each subject's segmentation, with a lower bound of the Dice."""

import json
import math
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
    "dice_at_least",
    "shortfall",
    "contradicted_mm",
)
# The share of subjects whose Dice is at least their bound.
LEVEL = 0.9


def uncertainty_rows(
    folder: Path, cohort: list[dict], dice: Mapping[str, float], depth_mm: Mapping[str, float]
) -> list[dict]:
    """Return a row of `UNCERTAINTY_COLUMNS` for each subject with a JSON file from predict, the most uncertain first.

    folder: the output of predict; cohort: rows of cohort.tsv; dice: subject -> mean over WT, TC and ET; depth_mm:
    subject -> depth of the contradictions of its truth (`parts.suspects`), the column contradicted_mm. The column dice
    is empty for a subject without a mask, and so is shortfall, the expected Dice minus the true one. dice_at_least has
    the `dice_bounds`, and is empty with too few patients. Raises ValueError naming the file if it is unusable.
    """
    folds, patients = ({row["subject"]: row[name] for row in cohort} for name in ("fold", "patient"))
    rows = []
    for subject in predicted_subjects(cohort):
        path = folder / f"{subject}.json"
        if path.is_file():
            row = {"subject": subject, "fold": folds[subject], **_read(path), "dice": _digits(dice.get(subject))}
            short = 1 - float(row["uncertainty"]) - dice[subject] if subject in dice else None
            rows.append(row | {"shortfall": _digits(short), "contradicted_mm": _digits(depth_mm.get(subject))})
    bounds = dice_bounds({row["subject"]: 1 - float(row["uncertainty"]) for row in rows}, dice, patients)
    rows = [row | {"dice_at_least": _digits(bounds[row["subject"]])} for row in rows]
    return sorted(rows, key=lambda row: (-float(row["uncertainty"]), row["subject"]))


def dice_bounds(
    expected: Mapping[str, float], dice: Mapping[str, float], patients: Mapping[str, str]
) -> dict[str, float | None]:
    """Return subject -> a number that its Dice reaches with a probability of `LEVEL`; None with too few patients.

    Split-conformal prediction (Lei et al. 2018, doi:10.1080/01621459.2017.1307116): the bound is the expected Dice
    minus a quantile of how much the Dice of other patients fell short of theirs. No model learned from any of these
    subjects. A patient counts once, with the visit that fell short most. Nine other scored patients are needed. The
    probability holds for patients like these; another scanner can break it.
    expected: subject -> expected Dice, mean of WT, TC and ET; dice: subject -> true one, if known; patients: subject ->
    patient.
    """
    short: dict[str, float] = {}
    for subject in expected.keys() & dice.keys():
        value = expected[subject] - dice[subject]
        short[patients[subject]] = max(value, short.get(patients[subject], value))
    ordered = sorted(short, key=lambda patient: (short[patient], patient))
    place = {patient: number for number, patient in enumerate(ordered)}
    bounds: dict[str, float | None] = {}
    for subject, value in expected.items():
        own = place.get(patients[subject])
        others = len(ordered) - (own is not None)
        rank = math.ceil((others + 1) * LEVEL - 1e-9)
        # The subject's own patient is passed over.
        rank += own is not None and own < rank
        bounds[subject] = None if rank > len(ordered) else min(max(value - short[ordered[rank - 1]], 0.0), 1.0)
    return bounds


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
