"""Groups of subjects by a covariate, and their scores."""

import pytest

from glioseg.evaluate.parts.groups import GROUP_COLUMNS, group_rows, groups_of

SITES = {f"s{number:02d}": "A" if number < 5 else "B" if number < 11 else "C" for number in range(13)}


def test_small_groups_and_missing_values_are_left_out():
    groups = groups_of(SITES | {"x": "", "y": ""})
    assert {name: len(subjects) for name, subjects in groups.items()} == {"A": 5, "B": 6}
    assert groups_of({name: "A" for name in SITES}) == groups_of({}) == {}
    assert groups_of({name: name for name in SITES}) == {}


def test_numbers_are_groups_or_split_at_their_median():
    grades = {f"s{number}": "10" if number % 2 else "9" for number in range(10)}
    assert list(groups_of(grades)) == ["9", "10"]
    ages = {f"s{number}": f"{40 + number}.5" for number in range(11)}
    groups = groups_of(ages)
    assert {name: len(subjects) for name, subjects in groups.items()} == {"at most 45.5": 6, "over 45.5": 5}
    assert groups["over 45.5"] == [f"s{number}" for number in range(6, 11)]
    assert groups_of({name: "nan" for name in SITES}) == {}


def test_scores_by_hand():
    value = {"A": 0.5, "B": 0.9, "C": 0.1}
    tidy = [
        {"method": method, "subject": name, "patient": name, "region": region, "metric": metric, "value": score}
        for name, site in SITES.items()
        for region in ("WT", "TC", "ET")
        for method, metric, score in (
            ("network", "dice", value[site]),
            ("network", "precision", 0.3),
            ("FLAIR threshold", "dice", 0),
        )
    ]
    cohort = [
        {"subject": name, "labels": "brats2020", "tumor_ml": f"{number}", "site": site}
        for number, (name, site) in enumerate(SITES.items())
    ]
    rows = group_rows(tidy, cohort, ["site"], 50, 0)
    found = {(row["covariate"], row["group"]): row for row in rows if row["region"] == "mean"}
    assert list(found) == [
        ("true tumor volume, ml", "at most 6"),
        ("true tumor volume, ml", "over 6"),
        ("site", "A"),
        ("site", "B"),
    ]
    assert {row["metric"] for row in rows} == {"dice"} and set(GROUP_COLUMNS) <= set(rows[0])
    assert found["site", "B"]["mean"] == pytest.approx(0.9) and found["site", "B"]["n"] == 6
    assert found["true tumor volume, ml", "at most 6"]["mean"] == pytest.approx((5 * 0.5 + 2 * 0.9) / 7)
