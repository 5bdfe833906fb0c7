"""Test the command `baseline` on classes that are easy to separate."""

import csv

from baselines import write_cohort, write_subject
from click.testing import CliRunner

from baseline import baseline
from glioseg.evaluate.summary import BASELINE_COLUMNS


def test_the_command_scores_separable_classes_well_and_the_same_twice(tmp_path):
    for seed, name in enumerate("abc"):
        write_subject(tmp_path / name, seed, ["flair", "t1"])
    cohort = write_cohort(tmp_path / "cohort.tsv", [("a", "test", "yes"), ("b", "train", "yes"), ("c", "train", "yes")])
    tables = []
    for name in ("one.tsv", "two.tsv"):
        options = ["--cohort", cohort, "--preprocess", tmp_path, "--seed", 42, "--output", tmp_path / "out" / name]
        result = CliRunner().invoke(baseline, [str(option) for option in options])
        assert result.exit_code == 0, result.output
        tables.append((tmp_path / "out" / name).read_text())
    assert tables[0] == tables[1]
    rows = list(csv.DictReader(tables[0].splitlines(), delimiter="\t"))
    assert tuple(rows[0]) == BASELINE_COLUMNS and all(len(row["dice"].partition(".")[2]) == 6 for row in rows)
    assert [(row["method"], row["region"]) for row in rows] == [
        ("FLAIR threshold", "WT"),
        *(("voxel-wise classifier", region) for region in ("WT", "TC", "ET")),
    ]
    assert {row["region"]: row["dice"] for row in rows if float(row["dice"]) < 0.95} == {}
