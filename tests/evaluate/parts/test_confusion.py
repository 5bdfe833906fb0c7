"""True against predicted tissue classes, by hand."""

import numpy as np
import pytest

from glioseg.evaluate.parts.confusion import CONFUSION_COLUMNS, confusion, confusion_rows, pooled_confusion
from glioseg.labels import classes_of

NAMES = classes_of(["brats2020"])
COHORT = [{"subject": name, "patient": "p", "fold": "0"} for name in "ab"]


def pair() -> tuple[np.ndarray, np.ndarray]:
    truth, prediction = np.zeros((20, 1, 1), np.uint8), np.zeros((20, 1, 1), np.uint8)
    truth[:6, 0, 0] = [2, 2, 1, 1, 3, 0]
    prediction[:6, 0, 0] = [2, 0, 2, 1, 1, 3]
    return truth, prediction


def test_confusion_by_hand():
    found = confusion(*pair(), (2.0, 5.0, 10.0), NAMES)  # voxels of 0.1 ml
    expected = {
        "background": {"necrosis": 0, "edema": 0, "enhancing": 0.1},
        "necrosis": {"background": 0, "necrosis": 0.1, "edema": 0.1, "enhancing": 0},
        "edema": {"background": 0.1, "necrosis": 0, "edema": 0.1, "enhancing": 0},
        "enhancing": {"background": 0, "necrosis": 0.1, "edema": 0, "enhancing": 0},
    }
    assert set(found) == set(expected)
    for name in expected:
        assert found[name] == pytest.approx(expected[name])
    padded = [np.pad(volume, ((3, 50), (2, 2), (0, 9))) for volume in pair()]
    assert confusion(*padded, (2.0, 5.0, 10.0), NAMES) == found, "independent of the background"
    with pytest.raises(ValueError, match="expected one shape"):
        confusion(np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 3), np.uint8), (1, 1, 1), NAMES)


def test_rows_and_their_sum():
    found = confusion(*pair(), (2.0, 5.0, 10.0), NAMES)
    twice = {row: {column: 2 * ml for column, ml in cells.items()} for row, cells in found.items()}
    rows = confusion_rows([{"subject": "a", "confusion": found}, {"subject": "b", "confusion": twice}], COHORT)
    assert len(rows) == 2 * (4 * 4 - 1) and tuple(rows[0]) == CONFUSION_COLUMNS
    row = next(row for row in rows if (row["true_class"], row["predicted_class"]) == ("necrosis", "edema"))
    assert row == dict(zip(CONFUSION_COLUMNS, ("a", "p", "0", "necrosis", "edema", "0.100", "50.00"), strict=True))
    assert {row["percent"] for row in rows if row["true_class"] == "background"} == {""}
    assert pooled_confusion(rows)["enhancing"] == pytest.approx(
        {"background": 0, "necrosis": 0.3, "edema": 0, "enhancing": 0}
    )


def test_absent_classes_and_subjects_without_a_prediction():
    nothing = np.zeros((4, 4, 4), np.uint8)
    found = confusion(nothing, nothing, (1, 1, 1), NAMES)
    assert {ml for row in found.values() for ml in row.values()} == {0}
    rows = confusion_rows([{"subject": "a", "confusion": found}, {"subject": "b", "confusion": {}}], COHORT)
    assert {row["subject"] for row in rows} == {"a"} and {row["percent"] for row in rows} == {""}
    assert pooled_confusion([]) == {}
