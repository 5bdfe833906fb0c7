"""Which tissue class was predicted where the truth has which."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from glioseg.evaluate.region_pair import tumor_box
from glioseg.labels import CLASSES
from glioseg.volumes.orientation import voxel_ml

CONFUSION_COLUMNS = ("subject", "patient", "fold", "true_class", "predicted_class", "volume_ml", "percent")
BACKGROUND = CLASSES[0]


def confusion(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...], classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return true class -> predicted class -> volume (ml) with both, for two arrays of class indices.

    classes: names of CLASSES, the background included. Background that is predicted as such is left out, because it
    depends on the size of the scan alone. Raises ValueError if the shapes differ.
    """
    box = tumor_box(truth, prediction)
    pairs = truth[box].astype(np.intp) * len(CLASSES) + prediction[box]
    size_ml = voxel_ml(spacing_mm)
    counts = np.bincount(pairs.ravel(), minlength=len(CLASSES) ** 2).reshape(len(CLASSES), len(CLASSES))
    index = CLASSES.index
    found = {row: {column: float(counts[index(row), index(column)] * size_ml) for column in classes} for row in classes}
    found[BACKGROUND].pop(BACKGROUND)
    return found


def confusion_rows(evaluations: Iterable[Mapping], cohort: Sequence[Mapping[str, str]]) -> list[dict]:
    """Return a row of `CONFUSION_COLUMNS` for each subject, true class and predicted class.

    evaluations: the output of `evaluate`; a subject that could not be predicted has no rows. cohort: rows with subject,
    patient and fold. percent is of the true volume of the class, and missing for the background.
    """
    row_of = {row["subject"]: row for row in cohort}
    rows = []
    for scores in evaluations:
        subject = {name: row_of[scores["subject"]][name] for name in ("subject", "patient", "fold")}
        for true_class, volumes in scores["confusion"].items():
            total = sum(volumes.values())
            for predicted_class, ml in volumes.items():
                percent = f"{100 * ml / total:.2f}" if total and true_class != BACKGROUND else ""
                classes = {"true_class": true_class, "predicted_class": predicted_class}
                rows.append({**subject, **classes, "volume_ml": f"{ml:.3f}", "percent": percent})
    return rows


def pooled_confusion(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, float]]:
    """Return true class -> predicted class -> volume (ml), summed over the subjects. rows: of `CONFUSION_COLUMNS`."""
    sums: dict[str, dict[str, float]] = {}
    for row in rows:
        of_class = sums.setdefault(row["true_class"], {})
        of_class[row["predicted_class"]] = of_class.get(row["predicted_class"], 0.0) + float(row["volume_ml"])
    return sums
