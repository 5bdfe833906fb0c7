# What all rules use: paths, errors, and what tells Snakemake that a job has to run again.
import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path

# The folder of the commands. Jobs find it in their environment, and not in a param, so that the place of this project
# is not among the reasons to run a job again. They import no packages from ~/.local, which may differ from those of
# their environment.
GLIOSEG = os.path.abspath(f"{HOME}/scripts")
os.environ.update(GLIOSEG=GLIOSEG, PYTHONNOUSERSITE="1")
sys.path.insert(0, GLIOSEG)

from glioseg.files import read_json, read_table
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.workflow.code_hash import code_hash
from glioseg.workflow.config import add_defaults, check_config
from glioseg.workflow.failures import (
    PREDICTING,
    PREPARING,
    SCORING,
    failure_summary,
    failed_jobs,
    failed_subjects,
    read_failures,
    record,
)
from glioseg.workflow.one_run import claim, release
from glioseg.workflow.options import each, options, paired


def sentence(function, *arguments):
    """Call a function of the library; a ValueError ends the run with its message and no traceback."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def result(path):
    """A path inside the results folder; wildcards in it are kept."""
    return f"{RESULTS}/{path}"


def growing(first):
    """A resource that is `first` times the number of the attempt."""
    return lambda wildcards, attempt: first * attempt


add_defaults(config, Path(HOME, "config.yaml"))
sentence(check_config, config, Path(HOME, "rules/config.schema.yaml"))

RESULTS = config["results"]
# Environment of train and predict with --use-conda.
TENSORFLOW = f"../envs/{config['environment']}.yaml"
# Table of failed jobs, written by onerror in the Snakefile.
LEDGER = result("summarize/failures.tsv")
# The same table if the run skips the subjects listed in it.
LEDGERS = [LEDGER] if config["skip_failed"] else []
FAILURES = read_failures(list(map(Path, LEDGERS)))


wildcard_constraints:
    subject=r"[^/]+",
    place=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    name=r"sub-[A-Za-z0-9]+(_ses-[A-Za-z0-9]+)?",
    model=r"(all|\d+)(_\d+)?",
    fold=r"all|\d+",
    figure=r"\w+",
    tables=r"labels(_[\w-]+)?",


def code(command, *files):
    """A function that hashes the code of a command, of the library modules it imports, and of further files.

    As a param, the hash reruns the jobs of a rule whose code changed. It is a function so that only jobs in the graph
    compute it.
    """
    return lambda wildcards: code_hash(Path(GLIOSEG), f"{command}.py", *files)


@cache
def cohort_of(path, modified):
    """Rows of a cohort table, read once for each time at which it was modified."""
    return sentence(read_table, path, COHORT_COLUMNS)


def cohort():
    """Rows of cohort.tsv, once split has written it."""
    path = Path(checkpoints.split.get().output.cohort)
    return cohort_of(path, path.stat().st_mtime_ns if path.exists() else 0)


def identity(names, *columns):
    """A hash of these columns of cohort.tsv for these subjects.

    As a param beside an `ancient` cohort.tsv, it reruns a job if what the job reads of its subjects changed, and not if
    a column that it does not read, or another subject, did.
    """
    rows = {row["subject"]: row for row in cohort()}
    return hashlib.sha256(json.dumps([[name, *map(rows[name].get, columns)] for name in names]).encode()).hexdigest()[
        :16
    ]


def without_failed(names, *rules):
    """The names without a failed job of these rules if the run skips failed subjects; otherwise all names."""
    left_out = failed_subjects(FAILURES, *rules)
    return [name for name in names if name not in left_out]
