"""Files are written completely or not at all, and invalid tables are refused."""

import json

import pytest

from glioseg.evaluate.calibration import CALIBRATION_COLUMNS
from glioseg.evaluate.compare import COMPARISON_COLUMNS
from glioseg.evaluate.parts.ranking import RANKING_COLUMNS
from glioseg.evaluate.parts.suspects import SUSPECT_COLUMNS
from glioseg.evaluate.score_table import MEAN
from glioseg.evaluate.summary import BASELINE_COLUMNS, PRESENT_COLUMNS, SCORE_COLUMNS, SUBJECT_COLUMNS
from glioseg.evaluate.uncertainty import UNCERTAINTY_COLUMNS
from glioseg.files import COVARIATE, descriptions, read_table, whole, write_table
from glioseg.labels import CLASSES, REGION_NAMES
from glioseg.predict.tune_postprocess import TUNING_COLUMNS
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.workflow.failures import FAILURE_COLUMNS

TABLES = (
    COHORT_COLUMNS,
    SUBJECT_COLUMNS,
    (*SCORE_COLUMNS, *PRESENT_COLUMNS),
    CALIBRATION_COLUMNS,
    UNCERTAINTY_COLUMNS,
    SUSPECT_COLUMNS,
    BASELINE_COLUMNS,
    TUNING_COLUMNS,
    COMPARISON_COLUMNS,
    RANKING_COLUMNS,
    FAILURE_COLUMNS,
)


def test_files_are_written_completely_or_not_at_all(tmp_path):
    path = tmp_path / "table.tsv"
    write_table(path, ["a", "b"], [{"a": "1\t2", "b": "line\nbreak"}])
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    assert set(tmp_path.iterdir()) == {path, tmp_path / "table.json"}


def test_tables_are_read_literally_and_invalid_ones_are_refused(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text('a\tb\n"x\t\n', encoding="utf-8")
    assert read_table(path, ("b",)) == [{"a": '"x', "b": ""}]
    (tmp_path / "table.csv").write_text("a,b\n1,\n")
    assert read_table(tmp_path / "table.csv") == [{"a": "1", "b": ""}]
    with pytest.raises(ValueError, match=r"table.tsv: expected the columns a, c, d; missing: c, d$"):
        read_table(path, ("a", "c", "d"))
    path.write_text("a\tb\n1\t2\n1\t2\t3\n")
    with pytest.raises(ValueError, match=r"table.tsv: expected 2 cells per line, found 3 in line 3"):
        read_table(path)
    for content in (b"", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"table.tsv: expected a table with a header"):
            read_table(path)
    with pytest.raises(ValueError, match=r"none.tsv: expected a table with a header"):
        read_table(tmp_path / "none.tsv")


def test_missing_values_are_written_as_in_bids_and_read_as_nothing(tmp_path):
    path = tmp_path / "table.tsv"
    row = {"subject": "nan", "fold": "", "mean": float("nan"), "reason": None, "n": 0, "value": 0.0}
    write_table(path, [*row, "checks"], [row])
    assert path.read_text() == "subject\tfold\tmean\treason\tn\tvalue\tchecks\nnan\tn/a\tn/a\tn/a\t0\t0.0\tn/a\n"
    (found,) = read_table(path)
    assert found == {"subject": "nan", "fold": "", "mean": "", "reason": "", "n": "0", "value": "0.0", "checks": ""}


def test_the_columns_of_a_table_are_described_beside_it(tmp_path):
    described = {"metric": {"Levels": {"dice": "Dice"}}, "loss": COVARIATE, "pet": {"Description": "File of pet."}}
    write_table(tmp_path / "a.b.tsv", ["metric", "tumor_ml", "loss", "pet", "site", "present_mean"], [], described)
    found = json.loads((tmp_path / "a.b.json").read_text())
    assert list(found) == ["metric", "tumor_ml", "loss", "pet", "site", "present_mean"]
    assert found["metric"] == {"Description": "Name of the metric.", "Levels": {"dice": "Dice"}}
    assert found["tumor_ml"]["Units"] == "mL"
    assert found["loss"] == found["site"] == COVARIATE
    assert found["pet"] == {"Description": "File of pet."}
    assert found["present_mean"]["Description"].startswith("Mean over the subjects, ")
    assert found["present_mean"]["Description"].endswith(" Without the regions that the truth of a subject lacks.")


def test_every_column_has_a_description_and_a_column_of_volumes_its_unit():
    units = {"ml": "mL", "mm": "mm", "percent": "%"}
    for columns in TABLES:
        for name, entry in descriptions(columns, {}).items():
            assert entry != COVARIATE, name
            assert entry["Description"].endswith("."), name
            assert set(entry) <= {"Description", "Units", "Levels"}, name
            assert entry.get("Units") == units.get(name.rpartition("_")[2]), name


def test_the_levels_of_a_region_are_all_regions_and_tissues():
    levels = descriptions(["region"], {})["region"]["Levels"]
    assert set(levels) == {*REGION_NAMES, MEAN, *CLASSES[1:]}
    assert {name: levels[name] for name in REGION_NAMES} == REGION_NAMES
