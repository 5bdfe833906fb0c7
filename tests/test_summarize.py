"""Summary statistics against answers worked out by hand, and the command `summarize`."""

import csv
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.score_table import score_table
from glioseg.evaluate.summary import (
    PRESENT_COLUMNS,
    SCORE_COLUMNS,
    SUBJECT_COLUMNS,
    bootstrap_interval,
    subject_rows,
    summarize_scores,
)
from glioseg.files import write_table
from glioseg.split.cohort import COLUMNS
from summarize import summarize

FOLDS = {"a": "test", "b": "0", "c": "1", "d": "test", "seen": "train", "unlabelled": "new", "broken": ""}
UNSCORED = {"seen", "unlabelled", "broken"}


def evaluation(subject: str, dice: tuple[float, float, float]) -> dict:
    others = {**dict.fromkeys(METRICS, 0.5), "truth_ml": 3.0, "predicted_ml": 4.0}
    regions = {name: {**others, "dice": value} for name, value in zip(("WT", "TC", "ET"), dice, strict=True)}
    return {"subject": subject, "regions": regions, "classes": {}, "calibration": {}}


def baseline(subject: str, dice: float) -> list[dict]:
    rows = [("FLAIR threshold", subject, region, str(dice)) for region in ("WT", "TC", "ET")]
    return [dict(zip(("method", "subject", "region", "dice"), row, strict=True)) for row in rows]


EVALUATIONS = [
    evaluation("a", (0.9, 0.6, 0.3)),
    evaluation("b", (0.8, 0.8, 0.8)),
    evaluation("c", (0.6, 0.3, 0.0)),
    evaluation("d", (0.1, 0.1, 0.1)),
]


def pick(scores: list[dict], **which: str) -> dict:
    (row,) = [row for row in scores if all(row[key] == value for key, value in which.items())]
    return row


def test_subject_rows_are_tidy() -> None:
    rows = subject_rows(EVALUATIONS[:2], baseline("a", 0.5), FOLDS)
    assert len(rows) == 2 * 3 * (len(METRICS) + 2) + 3
    assert all(tuple(row) == SUBJECT_COLUMNS for row in rows)
    assert tuple(rows[0].values()) == ("network", "a", "test", "WT", "dice", 0.9)
    assert tuple(rows[-1].values()) == ("FLAIR threshold", "a", "test", "ET", "dice", 0.5)


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("stranger", "found no such subject"),
        ("seen", "found the fold 'train'"),
        ("unlabelled", "found the fold 'new'"),
        ("broken", "found the fold ''"),
    ],
)
def test_subjects_that_no_fold_holds_out_are_refused(subject: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{subject}: .*{words}"):
        subject_rows([evaluation(subject, (1, 1, 1))], [], FOLDS)
    with pytest.raises(ValueError, match=f"^{subject}: .*{words}"):
        subject_rows([], baseline(subject, 1), FOLDS)


def test_a_subject_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a: dice of WT by network is given twice"):
        subject_rows([EVALUATIONS[0], EVALUATIONS[0]], [], FOLDS)


def test_a_subject_without_a_region_of_its_method_is_refused() -> None:
    rows = subject_rows([], [*baseline("a", 0.5)[:2], *baseline("b", 0.5)], FOLDS)
    with pytest.raises(ValueError, match="a: expected dice of WT, TC, ET by FLAIR threshold, found that of WT, TC"):
        summarize_scores(rows, 10, 0)


def test_a_method_may_know_one_region_alone() -> None:
    rows = subject_rows(EVALUATIONS, [*baseline("a", 0.5)[:1], *baseline("b", 0.25)[:1]], FOLDS)
    scores = summarize_scores(rows, 10, 0)
    assert pick(scores, method="FLAIR threshold", metric="dice")["mean"] == 0.375
    assert "\N{EN DASH}" in next(line for line in score_table(scores).splitlines() if line.startswith("FLAIR"))


def test_statistics_by_hand() -> None:
    scores = summarize_scores(subject_rows(EVALUATIONS, baseline("b", 0.25), FOLDS), 200, 42)
    # 0.1, 0.6, 0.8, 0.9: quartiles at ranks 0.75, 1.5, 2.25.
    row = pick(scores, method="network", region="WT", metric="dice")
    assert tuple(row) == (*SCORE_COLUMNS, *PRESENT_COLUMNS)
    expected = {"n": 4, "mean": 0.6, "median": 0.7, "q1": 0.475, "q3": 0.825}
    assert {key: row[key] for key in expected} == pytest.approx(expected)
    assert 0.1 <= row["ci_low"] < 0.6 < row["ci_high"] <= 0.9
    # Means of the subjects over their regions: 0.6, 0.8, 0.3, 0.1.
    row = pick(scores, method="network", region="mean", metric="dice")
    assert (row["mean"], row["median"]) == pytest.approx((0.45, 0.45))
    assert len(scores) == 4 * len(METRICS) + 4
    row = pick(scores, method="FLAIR threshold", region="mean", metric="dice")
    assert (row["n"], row["mean"], row["q1"], row["q3"]) == (1, 0.25, 0.25, 0.25)
    assert math.isnan(row["ci_low"]) and math.isnan(row["ci_high"])


def test_a_region_that_some_data_sets_lack_is_of_those_that_have_it() -> None:
    operated = [evaluation("c", (0.6, 0.3, 0.0)), evaluation("d", (0.1, 0.1, 0.1))]
    for scores, dice in zip(operated, (0.5, 1.0), strict=True):
        scores["regions"]["RC"] = {**scores["regions"]["ET"], "dice": dice}
    scores = summarize_scores(subject_rows([*EVALUATIONS[:2], *operated], [], FOLDS), 50, 42)
    row = pick(scores, method="network", region="RC", metric="dice")
    assert (row["n"], row["mean"], row["median"]) == (2, 0.75, 0.75)
    # Nor has it a part in the mean of a subject.
    without = summarize_scores(subject_rows(EVALUATIONS, [], FOLDS), 50, 42)
    assert [row for row in scores if row["region"] != "RC"] == without
    header, _, line, _ = score_table(scores).splitlines()
    assert header.split() == ["Dice", "subjects", "WT", "TC", "ET", "mean", "RC"]
    assert line.startswith("network  4 ") and line.endswith("0.750 [0.500, 1.000] of 2")


def test_absent_regions_are_left_out_beside_the_convention_of_2020() -> None:
    evaluations = [evaluation("a", (0.9, 0.6, 1.0)), evaluation("b", (0.8, 0.6, 0.0)), evaluation("c", (0.0, 0.0, 0.0))]
    for scores, regions in zip(evaluations, (["ET"], [], ["WT", "TC", "ET"]), strict=True):
        for region in regions:
            scores["regions"][region]["truth_ml"] = 0.0
    known = [{"method": "threshold", "subject": name, "region": "ET", "dice": "0.25"} for name in "ab"]
    scores = summarize_scores(subject_rows(evaluations, known, FOLDS), 50, 42)
    row = pick(scores, method="network", region="ET", metric="dice")
    assert (row["n"], row["mean"], row["present_n"], row["present_mean"]) == (3, pytest.approx(1 / 3), 1, 0)
    row = pick(scores, method="network", region="WT", metric="dice")
    assert (row["n"], row["present_n"], row["present_median"]) == (3, 2, pytest.approx(0.85))
    # Of a by WT and TC alone, of b by all three, of c by none.
    row = pick(scores, method="network", region="mean", metric="dice")
    assert (row["present_n"], row["present_mean"]) == (2, pytest.approx((0.75 + 1.4 / 3) / 2))
    # What the truth holds is known from the network's rows.
    row = pick(scores, method="threshold", region="ET", metric="dice")
    assert (row["n"], row["present_n"]) == (2, 1)


def test_a_region_that_nobody_has_leaves_no_number() -> None:
    nobody = evaluation("a", (1.0, 1.0, 1.0))
    nobody["regions"]["ET"]["truth_ml"] = 0.0
    row = pick(summarize_scores(subject_rows([nobody], [], FOLDS), 5, 1), region="ET", metric="dice")
    assert row["mean"] == 1 and row["present_n"] == 0 and math.isnan(row["present_mean"])


def test_tissue_classes_are_summarized_without_a_part_in_the_mean() -> None:
    scored = [{**scores, "classes": {"edema": {"dice": 0.25, "truth_ml": 1.0}}} for scores in EVALUATIONS[:2]]
    scores = summarize_scores(subject_rows(scored, [], FOLDS), 50, 42)
    assert pick(scores, region="edema", metric="dice")["mean"] == 0.25
    without = summarize_scores(subject_rows(EVALUATIONS[:2], [], FOLDS), 50, 42)
    assert [row for row in scores if row["region"] != "edema"] == without
    assert "edema" not in score_table(scores)


def test_bootstrap_of_two_values_by_hand() -> None:
    # Means of two draws from 0 and 1: 0, 1/2 and 1 with chances 1/4, 1/2 and 1/4.
    assert bootstrap_interval(np.array([0.0, 1.0]), 2000, 1) == (0, 1)


def test_bootstrap_agrees_with_the_normal_interval_where_it_should() -> None:
    values = np.random.default_rng(3).normal(0.8, 0.1, 400)
    half = 1.96 * values.std() / math.sqrt(len(values))
    expected = (values.mean() - half, values.mean() + half)
    assert bootstrap_interval(values, 4000, 5) == pytest.approx(expected, abs=0.1 * half)


def test_bootstrap_is_seeded() -> None:
    values = np.linspace(0, 1, 9) ** 2
    assert bootstrap_interval(values, 100, 7) == bootstrap_interval(values, 100, 7)
    assert bootstrap_interval(values, 100, 7) != bootstrap_interval(values, 100, 8)
    # Two methods are compared on the same drawn subjects: a constant gap stays one.
    low, high = bootstrap_interval(values, 100, 7)
    assert bootstrap_interval(values + 1, 100, 7) == pytest.approx((low + 1, high + 1))


def test_order_of_subjects_changes_nothing() -> None:
    forward = summarize_scores(subject_rows(EVALUATIONS, [], FOLDS), 50, 42)
    assert forward == summarize_scores(subject_rows(EVALUATIONS[::-1], [], FOLDS), 50, 42)


def test_score_table_by_hand() -> None:
    row = dict(zip(SCORE_COLUMNS, ("network", "WT", "dice", 2, 0.5, 0.5, 0.4, 0.6, 0.25, 0.75), strict=True))
    lone = {**row, "method": "FLAIR threshold", "n": "1", "mean": "0.12345", "ci_low": "nan", "ci_high": "nan"}
    scores = [{**one, "region": region} for one in (row, lone) for region in ("WT", "TC", "ET", "mean")]
    scores.append({**row, "metric": "hd95_mm", "mean": 99})
    cell, alone = "0.500 [0.250, 0.750]", "0.123"
    expected = [
        "Dice             subjects  WT                    TC                    ET                    mean",
        "-" * 113,
        f"network          2         {cell}  {cell}  {cell}  {cell}",
        f"FLAIR threshold  1         {'  '.join([alone.ljust(len(cell))] * 3)}  {alone}",
        "Mean over subjects, with its 95 % interval.",
    ]
    assert score_table(scores).splitlines() == expected


def write_inputs(folder: Path, evaluations: list[dict], rows: list[dict]) -> None:
    """The evaluations, the baselines' table, and a cohort that scores just who was evaluated."""
    evaluated = folder / "evaluate"
    shutil.rmtree(evaluated, ignore_errors=True)
    evaluated.mkdir()
    for scores in evaluations:
        (evaluated / f"{scores['subject']}.json").write_text(json.dumps(scores))
    lines = ["method\tsubject\tregion\tdice", *("\t".join(row.values()) for row in rows)]
    (folder / "baseline.tsv").write_text("\n".join(lines) + "\n")
    named = {scores["subject"] for scores in evaluations} | UNSCORED
    cohort = [{"subject": subject, "fold": fold} for subject, fold in FOLDS.items() if subject in named]
    common = {"labels": "brats2020", "tumor_ml": "3.000", "enhancing_ml": "0.000"}
    cohort = [{**row, **common, "has_mask": "no" if row["fold"] == "new" else "yes"} for row in cohort]
    write_table(folder / "cohort.tsv", COLUMNS, cohort)


def invoke(folder: Path, seed: int = 42) -> Result:
    arguments = ["--evaluate", folder / "evaluate"]
    arguments += ["--predictions", folder / "predict", "--uncertainty", folder / "out" / "uncertainty.tsv"]
    arguments += ["--baseline", folder / "baseline.tsv", "--cohort", folder / "cohort.tsv"]
    arguments += ["--bootstrap", 100, "--seed", seed]
    arguments += ["--subjects", folder / "out" / "subjects.tsv", "--scores", folder / "out" / "scores.tsv"]
    arguments += ["--calibration", folder / "out" / "calibration.tsv"]
    return CliRunner().invoke(summarize, [str(argument) for argument in arguments])


def run(folder: Path, evaluations: list[dict], rows: list[dict], seed: int = 42) -> Result:
    write_inputs(folder, evaluations, rows)
    return invoke(folder, seed)


def read(path: Path) -> list[dict]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def test_both_tables_are_written_and_the_dice_printed(tmp_path: Path) -> None:
    result = run(tmp_path, EVALUATIONS, baseline("a", 0.5) + baseline("b", 0.7))
    assert result.exit_code == 0, result.output
    subjects, scores = read(tmp_path / "out" / "subjects.tsv"), read(tmp_path / "out" / "scores.tsv")
    assert len(subjects) == 4 * 3 * (len(METRICS) + 2) + 2 * 3 and tuple(subjects[0]) == SUBJECT_COLUMNS
    assert tuple(scores[0]) == (*SCORE_COLUMNS, *PRESENT_COLUMNS)
    assert float(pick(scores, method="FLAIR threshold", region="mean")["mean"]) == pytest.approx(0.6)
    assert result.output.strip() == score_table(scores)
    assert result.output.splitlines()[2].startswith("network          4         0.600 [")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("calibration.tsv", "scores.tsv", "subjects.tsv", "uncertainty.tsv")
    ]


def test_the_same_run_twice_writes_the_same(tmp_path: Path) -> None:
    written = []
    for seed in (42, 42, 43):
        run(tmp_path, EVALUATIONS, [], seed)
        written.append((tmp_path / "out" / "scores.tsv").read_bytes())
    assert written[0] == written[1] != written[2]


def test_nothing_evaluated_leaves_tables_of_a_header(tmp_path: Path) -> None:
    result = run(tmp_path, [], [])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "subjects.tsv").read_text() == "\t".join(SUBJECT_COLUMNS) + "\n"
    assert (tmp_path / "out" / "scores.tsv").read_text() == "\t".join((*SCORE_COLUMNS, *PRESENT_COLUMNS)) + "\n"
    assert "No subject was scored" in result.output
    assert score_table(read(tmp_path / "out" / "scores.tsv")) == result.output.strip()


def test_uncertainty_stands_beside_dice_the_least_sure_first(tmp_path: Path) -> None:
    (tmp_path / "predict").mkdir()
    for subject, value in (("a", 0.2), ("b", 0.1), ("unlabelled", 0.4), ("stranger", 0.9)):
        expected = dict.fromkeys(("WT", "TC", "ET"), 1 - value)
        found = {"subject": subject, "uncertainty": value, "expected_dice": expected, "entropy": 0.25}
        (tmp_path / "predict" / f"{subject}.json").write_text(json.dumps(found))
    assert run(tmp_path, EVALUATIONS, []).exit_code == 0
    rows = read(tmp_path / "out" / "uncertainty.tsv")
    assert [row["subject"] for row in rows] == ["unlabelled", "a", "b"]
    assert [row["dice"] for row in rows] == ["", "0.60000", "0.80000"]
    assert (rows[1]["fold"], rows[1]["uncertainty"], rows[1]["expected_ET"]) == ("test", "0.20000", "0.80000")
    (tmp_path / "predict" / "a.json").write_text("{}")
    result = run(tmp_path, EVALUATIONS, [])
    assert result.exit_code == 1 and "a.json: expected how sure a segmentation is" in result.output


def test_a_subject_that_could_not_be_predicted_has_the_worst_scores(tmp_path: Path) -> None:
    write_inputs(tmp_path, EVALUATIONS, [])
    (tmp_path / "evaluate" / "b.json").unlink()
    result = invoke(tmp_path)
    assert result.exit_code == 0, result.output
    assert "b has no scores in" in result.output and "a has no scores" not in result.output
    subjects, scores = read(tmp_path / "out" / "subjects.tsv"), read(tmp_path / "out" / "scores.tsv")
    failed = {(row["region"], row["metric"]): float(row["value"]) for row in subjects if row["subject"] == "b"}
    assert {failed[region, "dice"] for region in ("WT", "TC", "ET", "edema", "necrosis", "enhancing")} == {0}
    assert failed["TC", "hd95_mm"] == 373.13 and failed["TC", "lesion_hd95_mm"] == 374
    assert (failed["WT", "truth_ml"], failed["ET", "truth_ml"], failed["WT", "predicted_ml"]) == (3, 0, 0)
    row = pick(scores, region="WT", metric="dice")
    assert (row["n"], row["present_n"]) == ("4", "4") and float(row["mean"]) == pytest.approx(1.6 / 4)
    # The cohort says that b has no enhancing tumor.
    assert pick(scores, region="ET", metric="dice")["present_n"] == "3"


def test_only_who_the_cohort_scores_is_read(tmp_path: Path) -> None:
    result = run(tmp_path, [*EVALUATIONS, evaluation("seen", (1, 1, 1))], [])
    assert result.exit_code == 0, result.output
    assert {row["subject"] for row in read(tmp_path / "out" / "subjects.tsv")} == {"a", "b", "c", "d"}


def test_bad_input_is_refused_in_a_sentence(tmp_path: Path) -> None:
    result = run(tmp_path, EVALUATIONS, baseline("seen", 1))
    assert result.exit_code == 1 and "Error: seen: expected a subject that the cohort holds out" in result.output
    write_inputs(tmp_path, EVALUATIONS[:1], [])
    (tmp_path / "evaluate" / "a.json").write_text(json.dumps(evaluation("seen", (1, 1, 1))))
    result = invoke(tmp_path)
    assert result.exit_code == 1 and "Error: seen: expected a subject that the cohort holds out" in result.output
    (tmp_path / "evaluate" / "a.json").unlink()
    result = invoke(tmp_path)
    assert result.exit_code == 1 and "evaluate: expected the scores of 1 subjects, found none" in result.output
    result = run(tmp_path, [{"subject": "a"}], [])
    assert result.exit_code == 1 and "a.json: expected one subject's scores" in result.output
    result = run(tmp_path, [], [{"method": "x", "subject": "a", "region": "WT", "dice": "good"}])
    assert result.exit_code == 1 and "a: expected a number as dice of x in WT, found 'good'" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "header", "missing"),
    [
        ("cohort", "subject\tlabels", "fold, has_mask, tumor_ml, enhancing_ml"),
        ("baseline", "method\tdice", "subject, region"),
    ],
)
def test_a_table_without_its_columns_is_refused(tmp_path: Path, name: str, header: str, missing: str) -> None:
    write_inputs(tmp_path, EVALUATIONS, [])
    (tmp_path / f"{name}.tsv").write_text(f"{header}\n")
    result = invoke(tmp_path)
    assert result.exit_code == 1 and f"{name}.tsv: expected the columns" in result.output
    assert result.output.endswith(f"missing are {missing}\n")
