"""The ledger of failed jobs, read from Snakemake's log: which job of which subject failed, how often, and why."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from glioseg.files import read_table, write_table

FAILURE_COLUMNS = ("rule", "subject", "times", "last_line", "log", "output")
# If a job of these rules fails, the run can continue without its subject; all subjects need the jobs of other rules.
PER_SUBJECT = (
    "synthesize",
    "register",
    "preprocess",
    "predict",
    "postprocess",
    "own_grids",
    "bids_subject",
    "evaluate",
    "plot_subject",
    "embed",
)
# A subject has no segmentation, or no scores, if a job of these rules failed.
PREPARING = ("synthesize", "register", "preprocess")
PREDICTING = ("predict", "postprocess")
SCORING = (*PREDICTING, "evaluate")
# Rule, output and log of a failed job, alone or in a group of cluster jobs.
_JOB = re.compile(
    r"^(?:Error in|       ) rule (\w+):\n(?: +(?!output)\w+: .*\n)*? +output: (.+)\n +log: (.+) \(check log file", re.M
)


def failed_jobs(text: str) -> list[dict]:
    """A row of `FAILURE_COLUMNS` for each failed job in a Snakemake log, in the order of their first failures.

    A job that failed several times has one row.
    """
    rows: dict[str, dict] = {}
    for rule, outputs, log in _JOB.findall(text):
        output = outputs.split(", ")[0]
        row = rows.setdefault(output, {"rule": rule, "subject": _subject(rule, log), "times": 0})
        row |= {"times": row["times"] + 1, "log": log, "output": output, "last_line": last_line(Path(log))}
    return list(rows.values())


def _subject(rule: str, log: str) -> str:
    """The subject of a job, read from the name of its log; "" if the rule is not run for each subject."""
    return Path(log).name.removesuffix(".log") if rule in PER_SUBJECT else ""


def _job(row: dict) -> str:
    """The rule of a job and what it was for, which its log is named after: "predict a", "train fold 0", "split"."""
    name = Path(row["log"]).name.removesuffix(".log")
    if name in ("", row["rule"]):
        return row["rule"]
    return f"{row['rule']} {'fold ' if name.isdecimal() and not row['subject'] else ''}{name}"


def last_line(log: Path) -> str:
    """The last line of a job's log that is not blank; a sentence if there is no such line."""
    try:
        lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        lines = []
    return next(filter(None, reversed(lines)), "its log is empty: the job was killed, perhaps because memory ran out")


def record(ledger: Path, jobs: list[dict]) -> list[dict]:
    """Add failed jobs to the ledger, remove those that succeeded since, and return its rows.

    Failures are counted over all runs. A job has succeeded if its output exists.
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
    """Rows of the existing ledgers, for the jobs whose output is still missing."""
    rows = [row for ledger in ledgers if ledger.exists() for row in read_table(ledger, FAILURE_COLUMNS)]
    return [row for row in rows if not Path(row["output"]).exists()]


def failure_summary(rows: list[dict], ledger: Path) -> str:
    """A message for the console: which jobs failed, and what to do."""
    times = [f"{row['times']} times" if int(row["times"]) > 1 else "once" for row in rows]
    lines = [f"  {_job(row)} ({often}): {row['last_line']}" for row, often in zip(rows[:10], times, strict=False)]
    more = [f"  … and {len(rows) - 10} more"] if len(rows) > 10 else []
    needed = sorted({row["rule"] for row in rows} - set(PER_SUBJECT))
    advice = "Run again to retry them; finished files are kept."
    if needed:
        advice += f" The run cannot continue without {', '.join(needed)}."
    else:
        advice += " Or continue without these subjects, which the report will name:\n  add --config skip_failed=True"
    return "\n".join([f"Jobs failed: {len(rows)}. {ledger} lists them.", *lines, *more, advice])


def unlisted(found: Collection[str], listed: Collection[str], table: str) -> str:
    """A message if the subjects of the data set are not those that a table of the results lists; otherwise "".

    Snakemake makes the table again if they differ, unless it has no record of how the table was made.
    """
    new, gone = sorted(set(found) - set(listed)), sorted(set(listed) - set(found))
    sentences = [
        f"{what} ({len(names)}): {', '.join(names[:10])}{', …' if len(names) > 10 else ''}."
        for names, what in (
            (new, "Subjects in the data set, but not in these results"),
            (gone, "Subjects in these results only"),
        )
        if names
    ]
    if sentences:
        sentences.append(
            f"{table} was not made again, because the folder .snakemake has no record of it, as after copying results "
            "without this folder. To take the subjects as they are now, add --forcerun layouts."
        )
    return "\n".join(sentences)


def failed_subjects(rows: list[dict], *rules: str) -> set[str]:
    """Subjects for which a job of these rules failed."""
    return {row["subject"] for row in rows if row["rule"] in rules}
