"""The ledger of failed jobs, and a run that goes on with the survivors."""

import os
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_report import make, written

import summarize
from glioseg.files import read_table, write_table
from glioseg.workflow.failures import FAILURE_COLUMNS, describe, failed_jobs, last_line, read_failures, record

LOG = """[Mon Nov 23 21:50:43 2026]
Error in rule predict:
    message: None
    jobid: 7
    input: results/preprocess/a b, results/train/all/model.keras
    output: results/predict/a b.nii.gz
    log: results/logs/predict/a b.log (check log file(s) for error details)
    shell:
        python scripts/predict.py --scan 'results/preprocess/a b'
        (command exited with non-zero exit code)
[Mon Nov 23 21:50:44 2026]
Error in group 5:
    jobs:
        rule evaluate:
            jobid: 9
            output: results/evaluate/c.json
            log: results/logs/evaluate/c.log (check log file(s) for error details)
"""


def test_failed_jobs_are_read_from_the_log_and_counted_until_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "results/logs/predict/a b.log"
    log.parent.mkdir(parents=True)
    log.write_text("loading\nError: the disk is full\n\n")
    jobs = failed_jobs(LOG + LOG[: LOG.index("[Mon Nov 23 21:50:44")])
    assert [(job["rule"], job["subject"], job["times"]) for job in jobs] == [
        ("predict", "a b", 2),
        ("evaluate", "c", 1),
    ]
    assert jobs[0]["last_line"] == "Error: the disk is full"
    assert "killed" in jobs[1]["last_line"]
    ledger = tmp_path / "results/summarize/failures.tsv"
    record(ledger, jobs)
    rows = record(ledger, jobs[:1])
    assert [(row["subject"], row["times"]) for row in rows] == [("a b", "4"), ("c", "1")]
    assert read_table(ledger, FAILURE_COLUMNS) == rows
    told = describe(rows, ledger)
    assert "predict a b (4 times): Error: the disk is full" in told
    assert "--config survivors=True" in told
    # Made since: neither counted nor told of any more.
    (tmp_path / "results/predict").mkdir()
    (tmp_path / "results/predict/a b.nii.gz").touch()
    assert [row["subject"] for row in read_failures([ledger])] == ["c"]
    assert [row["subject"] for row in record(ledger, [])] == ["c"]
    assert len(read_table(ledger)) == 1


def test_what_all_need_cannot_be_gone_on_without():
    row = {"rule": "train", "subject": "", "times": "1", "last_line": "no", "log": "", "output": ""}
    told = describe([row], Path("failures.tsv"))
    assert "Nothing can go on without train" in told
    assert "survivors" not in told


def test_no_failure_leaves_no_ledger(tmp_path):
    assert record(tmp_path / "failures.tsv", []) == []
    assert not list(tmp_path.iterdir())
    assert last_line(tmp_path / "none.log").startswith("its log is empty")


def ledger_of(path, *rows):
    write_table(path, FAILURE_COLUMNS, [dict(zip(FAILURE_COLUMNS, row, strict=True)) for row in rows])
    return path


def test_scores_of_survivors_and_their_count(tmp_path):
    columns = ("subject", "fold", "has_mask", "labels", "tumor_ml", "enhancing_ml")
    rows = [dict(zip(columns, (name, "test", "yes", "brats2020", "9", "2"), strict=True)) for name in ("a", "b", "c")]
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
    assert "Left out, as their jobs failed: 1 (c)" in printed


def test_report_names_what_failed_and_what_the_mean_would_be(tmp_path):
    options = make(tmp_path, {"good": 0.9, "bad": 0.5})
    assert "failed and the run went on" not in written(options)
    cohort = (tmp_path / "cohort.tsv").read_text().splitlines()
    good = next(line for line in cohort if line.startswith("good\t"))
    (tmp_path / "cohort.tsv").write_text("\n".join([*cohort, good.replace("good", "gone", 1)]) + "\n")
    rows = [("predict", "gone", 3, "Error: <b>out of memory", "gone.log", "nowhere/gone.nii.gz")]
    rows += [("embed", "good", 1, "Error: the disk is full", "good.log", "nowhere/good.js")]
    page = written(["--failures", str(ledger_of(tmp_path / "failures.tsv", *rows)), *options])
    assert "2 jobs failed and the run went on without them" in page
    assert "of the 2 that survived, not of the 3 that were to be scored" in page
    assert f"{1.4 / 3:.3f} (mean" in page
    assert "Error: &lt;b&gt;out of memory" in page
    assert "<b>out of memory" not in page


def failing(run, words):
    """Let the workflow's jobs whose command line holds all the words end as one that the kernel killed for memory."""
    folder = run.folder / "bin"
    folder.mkdir(exist_ok=True)
    python = folder / "python"
    tests = " && ".join(f'[[ "$*" == *{word}* ]]' for word in words)
    killed = 'echo "loading"; echo "Error: out of memory"; kill -9 $$'
    python.write_text(f'#!/bin/bash\nif {tests}; then {killed}; fi\nexec "{sys.executable}" "$@"\n')
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    run.environment["PATH"] = f"{folder}:{os.environ['PATH']}"
    return python


def test_a_scan_whose_preprocessing_fails_can_be_gone_on_without(cohort_folder, workflow):
    run = workflow(cohort_folder)
    python = failing(run, ["preprocess.py", "case_05"])
    failed = run.run("prepare")
    assert failed.returncode == 1
    assert "preprocess case_05 (once): Error: out of memory" in failed.stdout + failed.stderr
    assert "add --config survivors=True" in failed.stdout + failed.stderr
    row = read_table(run / "summarize/failures.tsv", FAILURE_COLUMNS)[0]
    assert (row["rule"], row["subject"], row["times"]) == ("preprocess", "case_05", "1")
    assert len(list((run / "preprocess").glob("*/scan.json"))) == 11
    survived = run.run("prepare", "--config", "survivors=True")
    assert survived.returncode == 0, survived.stderr
    rows = {row["subject"]: row for row in read_table(run / "split/cohort.tsv")}
    assert rows["case_05"]["verdict"] == "excluded"
    assert "its preprocessing failed" in rows["case_05"]["reason"]
    assert sum(row["verdict"] == "taken" for row in rows.values()) == 11
    # The machine is well again: as if nothing had been.
    python.unlink()
    done = run.run("prepare")
    assert done.returncode == 0, done.stderr
    assert {row["verdict"] for row in read_table(run / "split/cohort.tsv")} == {"taken"}
    assert not read_table(run / "summarize/failures.tsv")
