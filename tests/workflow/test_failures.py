"""The ledger of failed jobs is read from Snakemake's log."""

from pathlib import Path

import pytest

from glioseg.files import read_table
from glioseg.workflow.failures import (
    FAILURE_COLUMNS,
    failed_jobs,
    failure_summary,
    last_line,
    read_failures,
    record,
    unlisted,
)

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


def test_failed_jobs_are_counted_until_their_output_exists(tmp_path, monkeypatch):
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
    message = failure_summary(rows, ledger)
    assert "predict a b (4 times): Error: the disk is full" in message
    assert "--config skip_failed=True" in message
    # A job whose output exists now is neither counted nor reported.
    (tmp_path / "results/predict").mkdir()
    (tmp_path / "results/predict/a b.nii.gz").touch()
    assert [row["subject"] for row in read_failures([ledger])] == ["c"]
    assert [row["subject"] for row in record(ledger, [])] == ["c"]
    assert len(read_table(ledger)) == 1


def test_the_run_cannot_continue_without_jobs_that_all_subjects_need():
    row = {"rule": "train", "subject": "", "times": "1", "last_line": "no", "log": "", "output": ""}
    message = failure_summary([row], Path("failures.tsv"))
    assert "The run cannot continue without train" in message
    assert "skip_failed" not in message


@pytest.mark.parametrize(
    ("rule", "subject", "log", "name"),
    [
        ("train", "", "results/logs/train/0.log", "train fold 0"),
        ("train", "", "results/logs/train/all.log", "train all"),
        ("predict", "7", "results/logs/predict/7.log", "predict 7"),
        ("split", "", "results/logs/split.log", "split"),
        ("plot", "", "results/logs/plot/scores.log", "plot scores"),
    ],
)
def test_the_message_says_what_a_job_was_for(rule, subject, log, name):
    row = {"rule": rule, "subject": subject, "times": "1", "last_line": "no", "log": log, "output": ""}
    assert f"\n  {name} (once): no\n" in failure_summary([row], Path("failures.tsv"))


def test_no_failure_leaves_no_ledger(tmp_path):
    assert record(tmp_path / "failures.tsv", []) == []
    assert not list(tmp_path.iterdir())
    assert last_line(tmp_path / "none.log").startswith("its log is empty")


def test_subjects_that_the_results_do_not_list_are_named():
    assert unlisted(["a", "b"], ["b", "a"], "subjects.tsv") == ""
    words = unlisted(["a", "b", "c"], ["a", "z"], "results/layouts/subjects.tsv")
    assert "Subjects in the data set, but not in these results (2): b, c." in words
    assert "Subjects in these results only (1): z." in words
    assert "--forcerun layouts" in words
