"""Bounds of the Dice hold as often as they say."""

import numpy as np
import pytest

from glioseg.evaluate.uncertainty import LEVEL, dice_bounds


def test_a_bound_by_hand():
    # Eleven patients whose Dice falls short of the expected one by 0.00, 0.01, …, 0.10.
    expected = {f"s{number}": 0.9 for number in range(11)} | {"new": 0.8}
    dice = {f"s{number}": 0.9 - number / 100 for number in range(11)}
    patients = {name: name for name in expected}
    bounds = dice_bounds(expected, dice, patients)
    # 0.9 of 11 + 1 is 10.8: the eleventh, 0.10. Without its own, 0.9 of 10 + 1 is 9.9: the tenth of the others.
    assert bounds["new"] == pytest.approx(0.8 - 0.10)
    assert bounds["s0"] == pytest.approx(0.9 - 0.10) and bounds["s10"] == pytest.approx(0.9 - 0.09)


def test_too_few_patients_have_no_bound():
    names = [f"s{number}" for number in range(9)]
    one = {"new": 0.9}
    patients = {name: name for name in (*names, "new")}
    bounds = dice_bounds(dict.fromkeys(names, 0.9) | one, dict.fromkeys(names, 0.8), patients)
    assert bounds["new"] == pytest.approx(0.8) and {bounds[name] for name in names} == {None}
    assert dice_bounds(one, {}, patients) == {"new": None}
    # Nine visits of one patient are one patient.
    visits = dict.fromkeys(names, "p") | {"new": "q"}
    assert dice_bounds(dict.fromkeys(names, 0.9) | one, dict.fromkeys(names, 0.8), visits)["new"] is None


def test_a_visit_counts_as_its_patient_and_bounds_stay_in_range():
    expected = {f"s{number}": 0.9 for number in range(20)}
    dice = {name: 0.9 for name in expected} | {"s19": 0.1, "s18": 0.2}
    patients = {name: name for name in expected} | {"s19": "s0", "s18": "s1"}
    bounds = dice_bounds(expected | {"low": 0.3}, dice, patients | {"low": "low"})
    # 0.9 of 18 + 1 is 17.1: the patient who fell short most, by 0.8, in the second visit.
    assert bounds["low"] == 0


def test_bounds_hold_for_nine_of_ten_subjects_by_simulation():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(60):
        # Overconfident, and worse for difficult subjects.
        difficulty = rng.beta(2, 5, 200)
        expected = np.clip(1 - 0.5 * difficulty + 0.03 * rng.standard_normal(200), 0, 1)
        true = np.clip(0.95 - difficulty * rng.uniform(0.4, 1, 200), 0, 1)
        names = [str(number) for number in range(200)]
        known = dict(zip(names, true.tolist(), strict=True))
        bounds = dice_bounds(
            dict(zip(names, expected.tolist(), strict=True)), known, dict(zip(names, names, strict=True))
        )
        held.append(np.mean([known[name] >= bounds[name] for name in names]))
    assert 0.88 < np.mean(held) < 0.92 and LEVEL == 0.9
