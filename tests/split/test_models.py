"""Which subjects each model is trained on and may predict."""

import pytest
from scans import broken, rows_of, scan, unmasked

from glioseg.split.models import (
    held_out_subjects,
    models,
    models_for,
    planned_subjects,
    predicted_subjects,
    seed_of,
    training_subjects,
    validation_subjects,
)


def test_no_subject_is_predicted_by_a_model_trained_on_it():
    scans = [*(scan(f"s{i}") for i in range(8)), broken("broken"), unmasked("new")]
    for folds in (1, 3):
        rows = rows_of(scans, folds)
        for subject in predicted_subjects(rows):
            for model in models_for(rows, subject, folds, 1):
                assert subject not in training_subjects(rows, model)
        assert "new" in predicted_subjects(rows)
        assert "broken" not in predicted_subjects(rows)
        with pytest.raises(ValueError, match="broken is excluded and cannot be predicted: t1 is empty"):
            models_for(rows, "broken", folds, 1)
        for fold, hidden in held_out_subjects(rows).items():
            assert hidden and not set(hidden) & set(training_subjects(rows, fold))
        everyone = [subject for hidden in held_out_subjects(rows).values() for subject in hidden]
        assert set(everyone) == set(predicted_subjects(rows))
        assert list(held_out_subjects(rows)) == models(folds, 1)
    rows = rows_of(scans, 1)
    assert not set(validation_subjects(rows, "all")) & set(training_subjects(rows, "all"))
    with pytest.raises(ValueError, match="was in the training set"):
        models_for(rows, training_subjects(rows, "all")[0], 1, 1)
    row = next(row for row in rows if row["subject"] == "s0")
    assert row["lost_percent"] == "10.000"
    assert row["grade"] == "HGG"


def test_each_fold_has_a_model_for_each_seed():
    assert models(1, 1) == ["all"]
    assert models(1, 2) == ["all", "all_2"]
    assert models(2, 2) == ["0", "0_2", "1", "1_2"]
    assert [seed_of(model, 42) for model in ("0", "1", "0_2", "1_3")] == [42, 42, 1042, 2042]
    rows = [
        {"subject": name, "verdict": "included", "fold": fold, "has_mask": "yes", "reason": ""}
        for name, fold in (("a", "0"), ("b", "1"), ("c", "test"))
    ]
    assert training_subjects(rows, "0_2") == training_subjects(rows, "0") == ["b"]
    assert validation_subjects(rows, "1_2") == ["b"]
    assert planned_subjects(rows) == ["a", "b"], "the same for both folds, and no test subject"
    assert models_for(rows, "a", 2, 2) == ["0", "0_2"]
    assert models_for(rows, "c", 2, 2) == ["0", "0_2", "1", "1_2"]
