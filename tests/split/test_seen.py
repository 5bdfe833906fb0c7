"""A cohort for finished models: who was trained on is neither predicted nor scored, and nobody is trained on."""

import pytest
from scans import broken, rows_of, scan, unmasked

from glioseg.split.models import models_for, predicted_subjects, scored_subjects, training_subjects
from glioseg.split.seen import folds_of_unseen, seen_subjects

TRAINED = {"aa": ("A/train/0/model.keras", "case_01"), "bb": ("A/train/1/model.keras", "case_02")}


def cohort(*scans):
    seen = seen_subjects({one["subject"]: one for one in scans if one["verdict"] != "excluded"}, TRAINED)
    rows = rows_of(scans, 1, seen=seen)
    return rows, {row["subject"]: row for row in rows}


def test_all_subjects_are_held_out_but_those_that_a_model_saw():
    rows, by_name = cohort(scan("a"), scan("b", hashes={"t1": "bb", "t2": "x"}), unmasked("c"), broken("d"))
    assert [row["fold"] for row in rows] == ["test", "train", "new", ""]
    assert predicted_subjects(rows) == ["a", "c"] and scored_subjects(rows) == ["a"]
    assert by_name["b"]["verdict"] == "warned" and by_name["b"]["checks"] == "learned"
    words = "the model A/train/1/model.keras learned from its voxels (training subject case_02), so it is neither"
    assert by_name["b"]["reason"].startswith(words)
    with pytest.raises(ValueError, match=r"b cannot be predicted: the model A/train/1/model.keras learned"):
        models_for(rows, "b", 1, 1)
    assert training_subjects(rows, "all") == ["b"], "the only one, and no model is trained"


def test_another_visit_of_a_patient_that_a_model_saw_is_not_scored_either():
    visits = scan("p_1", patient="p", hashes={"t1": "aa"}), scan("p_2", patient="p"), unmasked("p_3", patient="p")
    rows, by_name = cohort(*visits, scan("q"))
    assert [row["fold"] for row in rows] == ["train", "train", "train", "test"]
    for name in ("p_2", "p_3"):
        assert "a model learned from p_1, of the same patient" in by_name[name]["reason"]
    assert by_name["q"]["reason"] == ""


def test_a_cohort_without_masks_is_predicted():
    rows, _ = cohort(unmasked("a"), unmasked("b"))
    assert [row["fold"] for row in rows] == ["new", "new"] and predicted_subjects(rows) == ["a", "b"]


def test_a_visit_without_a_mask_shares_the_fold_of_its_patient():
    leader = {"a": "a", "b": "a", "c": "c"}
    assert folds_of_unseen(leader, ["a"], []) == {"a": "test"}
    assert folds_of_unseen(leader, ["a"], ["b"]) == {"a": "train"}
    assert folds_of_unseen(leader, [], ["c"]) == {"c": "train"}


def test_without_a_usable_subject_there_is_nothing_to_segment():
    with pytest.raises(ValueError, match=r"(?s)no subject is usable.*excluded: d: t1 is empty"):
        cohort(broken("d"))
