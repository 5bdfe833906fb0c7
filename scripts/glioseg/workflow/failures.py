"""The ledger of jobs that failed, as Snakemake's own log tells them: which job of which subject, how often, and why."""

import re
from collections.abc import Sequence
from pathlib import Path

from glioseg.files import read_table, write_table

FAILURE_COLUMNS = ("rule", "subject", "times", "last_line", "log", "output")
# Subjects can be gone on without where a job of these rules failed; all other jobs are needed by everybody.
PER_SUBJECT = ("synthesize", "preprocess", "predict", "postprocess", "evaluate", "plot_subject", "embed")
# Who has no segmentation, and no scores, because a job of these failed.
PREDICTING = ("predict", "postprocess")
SCORING = (*PREDICTING, "evaluate")
# Rule, output and log of a job that failed, alone or in a group of a cluster's.
_JOB = re.compile(
    r"^(?:Error in|       ) rule (\w+):\n(?: +(?!output)\w+: .*\n)*? +output: (.+)\n +log: (.+) \(check log file", re.M
)


def failed_jobs(text: str) -> list[dict]:
    """A row of `FAILURE_COLUMNS` for each job that failed in a log of Snakemake, in the order of their first failure.

    A job that failed more than once has one row.
    """
    rows: dict[str, dict] = {}
    for rule, outputs, log in _JOB.findall(text):
        output = outputs.split(", ")[0]
        row = rows.setdefault(output, {"rule": rule, "subject": _subject(rule, log), "times": 0})
        row |= {"times": row["times"] + 1, "log": log, "output": output, "last_line": last_line(Path(log))}
    return list(rows.values())


def _subject(rule: str, log: str) -> str:
    """The subject of a job, which its log is named for; "" where the rule is of all of them."""
    return Path(log).name.removesuffix(".log") if rule in PER_SUBJECT else ""


def last_line(log: Path) -> str:
    """The last line of a job's log that says anything; a sentence where there is none."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        lines = []
    return next(filter(None, reversed(lines)), "its log is empty: it was killed, perhaps for want of memory")


def record(ledger: Path, jobs: list[dict]) -> list[dict]:
    """Add failed jobs to the ledger, which counts on, and leave out what was made since; returns its rows.

    Whether a job's output exists decides, so nothing but files is the state.
    """
    rows = {row["output"]: row for row in read_failures([ledger])}
    for job in jobs:
        before = int(rows[job["output"]]["times"]) if job["output"] in rows else 0
        rows[job["output"]] = job | {"times": str(before + int(job["times"]))}
    remaining = [row for row in rows.values() if not Path(row["output"]).exists()]
    if remaining or ledger.exists():
        write_table(ledger, FAILURE_COLUMNS, remaining)
    return remaining


def read_failures(ledgers: Sequence[Path]) -> list[dict]:
    """Rows of the ledgers that exist, of jobs whose output is still missing."""
    rows = [row for ledger in ledgers if ledger.exists() for row in read_table(ledger, FAILURE_COLUMNS)]
    return [row for row in rows if not Path(row["output"]).exists()]


def failure_summary(rows: list[dict], ledger: Path) -> str:
    """What failed, in words, and what to type."""
    times = [f"{row['times']} times" if int(row["times"]) > 1 else "once" for row in rows]
    lines = [
        f"  {row['rule']} {row['subject']}".rstrip() + f" ({often}): {row['last_line']}"
        for row, often in zip(rows[:10], times, strict=False)
    ]
    more = [f"  … and {len(rows) - 10} more"] if len(rows) > 10 else []
    needed = sorted({row["rule"] for row in rows} - set(PER_SUBJECT))
    advice = "Run again to try them anew; what is finished stays."
    if needed:
        advice += f" Nothing can go on without {', '.join(needed)}."
    else:
        advice += " Or go on without these subjects, which the report will name:\n  add --config skip_failed=True"
    return "\n".join([f"Jobs failed: {len(rows)}. {ledger} lists them.", *lines, *more, advice])


def failed_subjects(rows: list[dict], *rules: str) -> set[str]:
    """Subjects of whom a job of these rules failed."""
    return {row["subject"] for row in rows if row["rule"] in rules}
