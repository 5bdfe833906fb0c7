"""Test the command `summarize` on a few evaluated subjects."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from evaluations import EVALUATIONS, FOLDS, baseline, evaluation, pick
from studies import ledger_of

import summarize
from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.score_table import score_table
from glioseg.evaluate.summary import PRESENT_COLUMNS, SCORE_COLUMNS, SUBJECT_COLUMNS
from glioseg.files import read_table, write_table
from glioseg.split.cohort import COHORT_COLUMNS


def test_scores_without_failed_subjects_and_their_count(tmp_path):
    columns = ("subject", "patient", "fold", "has_mask", "labels", "tumor_ml", "enhancing_ml")
    rows = [
        dict(zip(columns, (name, name, "test", "yes", "brats2020", "9", "2"), strict=True)) for name in ("a", "b", "c")
    ]
    write_table(tmp_path / "cohort.tsv", columns, rows)
    write_table(tmp_path / "baseline.tsv", ("method", "subject", "region", "dice"), [])
    from glioseg.evaluate.summary import worst_scores
    from glioseg.files import write_json

    for name, row in zip("ab", rows, strict=False):
        scores = worst_scores(row)
        for region in scores["regions"].values():
            region["dice"] = 0.8
        write_json(tmp_path / f"evaluate/{name}.json", scores)
    ledger = ledger_of(tmp_path / "failures.tsv", ("predict", "c", 3, "out of memory", "c.log", "nowhere/c.nii.gz"))
    tables = {"evaluate": "evaluate", "baseline": "baseline.tsv", "cohort": "cohort.tsv"}
    tables |= {"predictions": "predict", "subjects": "subjects.tsv", "scores": "scores.tsv"}
    tables |= {"calibration": "calibration.tsv", "uncertainty": "uncertainty.tsv"}
    tables |= {"measured": "predict", "volumes": "volumes.tsv", "lesions": "lesions.tsv"}
    tables |= {"confusion": "confusion.tsv", "groups": "groups.tsv", "suspects": "suspects.tsv"}
    words = [word for name, file in tables.items() for word in (f"--{name}", str(tmp_path / file))]
    words += ["--bootstrap", "50", "--seed", "1"]

    def mean(*more):
        done = CliRunner().invoke(summarize.summarize, [*words, *more])
        assert done.exit_code == 0, done.output
        rows = read_table(tmp_path / "scores.tsv")
        row = next(row for row in rows if (row["region"], row["metric"]) == ("WT", "dice"))
        return int(row["n"]), float(row["mean"]), done.output

    assert mean()[:2] == (3, pytest.approx(1.6 / 3))
    count, value, printed = mean("--failures", str(ledger))
    assert (count, value) == (2, pytest.approx(0.8))
    assert "Left out because their jobs failed: 1 (c)" in printed


UNSCORED = {"seen", "unlabelled", "broken"}


def write_inputs(folder: Path, evaluations: list[dict], rows: list[dict]) -> None:
    """Write the evaluations, the table of the baselines, and a cohort that scores exactly the evaluated subjects."""
    evaluated = folder / "evaluate"
    shutil.rmtree(evaluated, ignore_errors=True)
    evaluated.mkdir()
    for scores in evaluations:
        (evaluated / f"{scores['subject']}.json").write_text(json.dumps(scores))
    lines = ["method\tsubject\tregion\tdice", *("\t".join(row.values()) for row in rows)]
    (folder / "baseline.tsv").write_text("\n".join(lines) + "\n")
    named = {scores["subject"] for scores in evaluations} | UNSCORED
    cohort = [
        {"subject": subject, "patient": subject, "fold": fold} for subject, fold in FOLDS.items() if subject in named
    ]
    common = {"labels": "brats2020", "tumor_ml": "3.000", "enhancing_ml": "0.000"}
    cohort = [{**row, **common, "has_mask": "no" if row["fold"] == "new" else "yes"} for row in cohort]
    write_table(folder / "cohort.tsv", COHORT_COLUMNS, cohort)


def invoke(folder: Path, seed: int = 42) -> Result:
    arguments = ["--evaluate", folder / "evaluate"]
    arguments += ["--predictions", folder / "predict", "--uncertainty", folder / "out" / "uncertainty.tsv"]
    arguments += ["--measured", folder / "measured", "--volumes", folder / "out" / "volumes.tsv"]
    for name in ("lesions", "confusion", "groups", "suspects"):
        arguments += [f"--{name}", folder / "out" / f"{name}.tsv"]
    arguments += ["--baseline", folder / "baseline.tsv", "--cohort", folder / "cohort.tsv"]
    arguments += ["--bootstrap", 100, "--seed", seed]
    arguments += ["--subjects", folder / "out" / "subjects.tsv", "--scores", folder / "out" / "scores.tsv"]
    arguments += ["--calibration", folder / "out" / "calibration.tsv"]
    return CliRunner().invoke(summarize.summarize, [str(argument) for argument in arguments])


def run(folder: Path, evaluations: list[dict], rows: list[dict], seed: int = 42) -> Result:
    write_inputs(folder, evaluations, rows)
    return invoke(folder, seed)


def test_both_tables_are_written_and_the_dice_printed(tmp_path: Path) -> None:
    result = run(tmp_path, EVALUATIONS, baseline("a", 0.5) + baseline("b", 0.7))
    assert result.exit_code == 0, result.output
    subjects, scores = read_table(tmp_path / "out" / "subjects.tsv"), read_table(tmp_path / "out" / "scores.tsv")
    assert len(subjects) == 4 * 3 * (len(METRICS) + 2) + 2 * 3 and tuple(subjects[0]) == SUBJECT_COLUMNS
    assert tuple(scores[0]) == (*SCORE_COLUMNS, *PRESENT_COLUMNS)
    assert float(pick(scores, method="FLAIR threshold", region="mean")["mean"]) == pytest.approx(0.6)
    assert result.output.strip() == score_table(scores)
    assert result.output.splitlines()[2].startswith("network          4         0.600 [")
    tables = {"calibration", "confusion", "groups", "lesions", "scores", "subjects", "suspects", "uncertainty"}
    tables |= {"volumes"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *(f"{name}{ending}" for name in tables for ending in (".tsv", ".json"))
    }
    levels = json.loads((tmp_path / "out" / "scores.json").read_text())["metric"]["Levels"]
    assert levels["hd95_mm"] == METRICS["hd95_mm"].words and set(levels) >= {row["metric"] for row in subjects}


def test_the_same_run_twice_writes_the_same(tmp_path: Path) -> None:
    written = []
    for seed in (42, 42, 43):
        run(tmp_path, EVALUATIONS, [], seed)
        written.append((tmp_path / "out" / "scores.tsv").read_bytes())
    assert written[0] == written[1] != written[2]


def test_without_evaluations_the_tables_have_only_a_header(tmp_path: Path) -> None:
    result = run(tmp_path, [], [])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "subjects.tsv").read_text() == "\t".join(SUBJECT_COLUMNS) + "\n"
    assert (tmp_path / "out" / "scores.tsv").read_text() == "\t".join((*SCORE_COLUMNS, *PRESENT_COLUMNS)) + "\n"
    assert "No subject was scored" in result.output
    assert score_table(read_table(tmp_path / "out" / "scores.tsv")) == result.output.strip()


def test_uncertainty_is_listed_with_dice_the_most_uncertain_first(tmp_path: Path) -> None:
    (tmp_path / "predict").mkdir()
    for subject, value in (("a", 0.2), ("b", 0.1), ("unlabelled", 0.4), ("stranger", 0.9)):
        expected = dict.fromkeys(("WT", "TC", "ET"), 1 - value)
        found = {"subject": subject, "uncertainty": value, "expected_dice": expected, "entropy": 0.25}
        (tmp_path / "predict" / f"{subject}.json").write_text(json.dumps(found))
    assert run(tmp_path, EVALUATIONS, []).exit_code == 0
    rows = read_table(tmp_path / "out" / "uncertainty.tsv")
    assert [row["subject"] for row in rows] == ["unlabelled", "a", "b"]
    assert [row["dice"] for row in rows] == ["", "0.60000", "0.80000"]
    assert [row["shortfall"] for row in rows] == ["", "0.20000", "0.10000"]
    assert (rows[1]["fold"], rows[1]["uncertainty"], rows[1]["expected_ET"]) == ("test", "0.20000", "0.80000")
    (tmp_path / "predict" / "a.json").write_text("{}")
    result = run(tmp_path, EVALUATIONS, [])
    assert result.exit_code == 1 and "a.json: expected the uncertainty of a segmentation" in result.output


def test_volumes_of_all_segmented_subjects_are_listed(tmp_path: Path) -> None:
    (tmp_path / "measured").mkdir()
    for subject, volume in (("a", 12.0), ("unlabelled", 0.0625), ("seen", 3.0), ("stranger", 9.0)):
        found = {"volumes_ml": {"WT": volume, "TC": volume / 2, "ET": 0.0}}
        (tmp_path / "measured" / f"{subject}.json").write_text(json.dumps(found))
    assert run(tmp_path, EVALUATIONS, []).exit_code == 0
    rows = read_table(tmp_path / "out" / "volumes.tsv")
    assert [list(row.values()) for row in rows] == [
        ["a", "a", "test", "12.000", "6.000", "0.000"],
        ["unlabelled", "unlabelled", "new", "0.062", "0.031", "0.000"],
    ]
    assert list(rows[0]) == ["subject", "patient", "fold", "WT_ml", "TC_ml", "ET_ml"]
    (tmp_path / "measured" / "a.json").write_text("{}")
    result = run(tmp_path, EVALUATIONS, [])
    assert result.exit_code == 1 and "a.json: expected the volumes of a segmentation" in result.output


def test_a_subject_without_a_prediction_has_the_worst_scores(tmp_path: Path) -> None:
    write_inputs(tmp_path, EVALUATIONS, [])
    (tmp_path / "evaluate" / "b.json").unlink()
    result = invoke(tmp_path)
    assert result.exit_code == 0, result.output
    assert "b has no scores in" in result.output and "a has no scores" not in result.output
    subjects, scores = read_table(tmp_path / "out" / "subjects.tsv"), read_table(tmp_path / "out" / "scores.tsv")
    failed = {(row["region"], row["metric"]): float(row["value"]) for row in subjects if row["subject"] == "b"}
    assert {failed[region, "dice"] for region in ("WT", "TC", "ET", "edema", "necrosis", "enhancing")} == {0}
    assert failed["TC", "hd95_mm"] == 373.13 and failed["TC", "lesion_hd95_mm"] == 374
    assert (failed["WT", "truth_ml"], failed["ET", "truth_ml"], failed["WT", "predicted_ml"]) == (3, 0, 0)
    row = pick(scores, region="WT", metric="dice")
    assert (row["n"], row["present_n"]) == ("4", "4") and float(row["mean"]) == pytest.approx(1.6 / 4)
    # In the cohort table, b has no enhancing tumor.
    assert pick(scores, region="ET", metric="dice")["present_n"] == "3"


def test_only_subjects_that_the_cohort_scores_are_read(tmp_path: Path) -> None:
    result = run(tmp_path, [*EVALUATIONS, evaluation("seen", (1, 1, 1))], [])
    assert result.exit_code == 0, result.output
    assert {row["subject"] for row in read_table(tmp_path / "out" / "subjects.tsv")} == {"a", "b", "c", "d"}


def test_bad_input_is_rejected_with_a_message(tmp_path: Path) -> None:
    result = run(tmp_path, EVALUATIONS, baseline("seen", 1))
    assert result.exit_code == 1 and "Error: seen: expected a subject that the cohort holds out" in result.output
    write_inputs(tmp_path, EVALUATIONS[:1], [])
    (tmp_path / "evaluate" / "a.json").write_text(json.dumps(evaluation("seen", (1, 1, 1))))
    result = invoke(tmp_path)
    assert result.exit_code == 1 and "Error: seen: expected a subject that the cohort holds out" in result.output
    (tmp_path / "evaluate" / "a.json").unlink()
    result = invoke(tmp_path)
    assert result.exit_code == 1 and "evaluate: expected a JSON file per subject (1), found none" in result.output
    result = run(tmp_path, [{"subject": "a"}], [])
    assert result.exit_code == 1 and "a.json: expected one subject's scores" in result.output
    result = run(tmp_path, [], [{"method": "x", "subject": "a", "region": "WT", "dice": "good"}])
    assert result.exit_code == 1 and "a: expected a number as dice of x in WT, found 'good'" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "header", "missing"),
    [
        ("cohort", "subject\tlabels", "patient, fold, has_mask, tumor_ml, enhancing_ml"),
        ("baseline", "method\tdice", "subject, region"),
    ],
)
def test_a_table_without_its_columns_is_rejected(tmp_path: Path, name: str, header: str, missing: str) -> None:
    write_inputs(tmp_path, EVALUATIONS, [])
    (tmp_path / f"{name}.tsv").write_text(f"{header}\n")
    result = invoke(tmp_path)
    assert result.exit_code == 1 and f"{name}.tsv: expected the columns" in result.output
    assert result.output.endswith(f"missing: {missing}\n")
