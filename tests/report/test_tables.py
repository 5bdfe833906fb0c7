"""Tables of the report, computed by hand."""

import re

import pytest

from glioseg.report import tables


def test_rule_times_by_hand():
    rows = {"a": [{"s": "1", "max_rss": "5"}, {"s": "3", "max_rss": "-"}], "b": [{"s": "9", "max_rss": "-"}]}
    longest, other = tables.rule_times(rows)
    assert (longest["rule"], longest["memory_mb"]) == ("b", None)
    assert other == {"rule": "a", "jobs": 2, "median_s": 2, "longest_s": 3, "total_s": 4, "memory_mb": 5}


def test_settings_that_differ_between_models_are_all_shown():
    trainings = [{"settings": {"seed": 1, "loss": "dice"}}, {"settings": {"seed": 2, "loss": "dice"}}]
    shared = tables.shared_settings(trainings)
    assert shared["loss"] == "dice"
    assert re.fullmatch(r"1\W+2", shared["seed"])


def test_what_the_models_went_on_from_is_said_once():
    starts = [{"start": {"sentences": ["A.", "B."]}}, {"start": {"sentences": ["A."]}}, {"start": {}}, {}]
    assert tables.start_sentences(starts) == ["A.", "B."]
    assert tables.start_sentences(starts[2:]) == []


def test_deviation_between_seeds():
    trainings = [{"fold": fold, "validation_dice": dice} for fold, dice in (("0", 0.8), ("0", 0.9), ("1", 0.5))]
    assert tables.seeds_apart(trainings) == pytest.approx(0.1 / 2**0.5)
    twice = [*trainings, {"fold": "1", "validation_dice": 0.5}]
    assert tables.seeds_apart(twice) == pytest.approx(0.05 / 2**0.5)
    assert tables.seeds_apart(trainings[1:]) is None
    assert tables.seeds_apart([{"fold": "all", "validation_dice": None}] * 2) is None


def test_subjects_of_a_model_are_counted_with_their_patients():
    cohort = [{"subject": name, "patient": name[0]} for name in ("a1", "a2", "b1", "c1")]
    assert tables.count_in(["a1", "a2", "b1"], cohort) == "3 of 2 patients"
    assert tables.count_in(["a1", "b1"], cohort) == "2"
    assert tables.count_in(["a1", "a2", "stranger"], cohort) == "3", "of another study"


def test_how_many_subjects_reach_their_bound():
    rows = [{"dice": "0.9", "dice_at_least": "0.8"}, {"dice": "0.7", "dice_at_least": "0.8"}]
    unknown = [{"dice": "", "dice_at_least": "0.8"}, {"dice": "0.9", "dice_at_least": ""}]
    assert tables.bounds_held([*rows, *unknown]) == (1, 2)
    assert tables.bounds_held(unknown) is None and tables.bounds_held([]) is None
