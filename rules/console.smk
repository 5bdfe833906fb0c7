# What a run prints on the console, apart from what its jobs print.
import atexit
import logging

from snakemake.logging import LogEvent, logger
from snakemake.settings.enums import Quietness

from glioseg.evaluate.score_table import score_table
from glioseg.workflow.failures import unlisted

# What Snakemake prints of each job.
BLOCKS = (LogEvent.JOB_INFO, LogEvent.GROUP_INFO, LogEvent.SHELLCMD, LogEvent.JOB_FINISHED)
SCHEDULING = ("Select jobs to execute", "Execute ")


def show_report():
    """Print the scores and the path of the report, if the run was asked for the report and it is there."""
    index = result("report/index.html")
    if Path(index).exists() and any(index in job.output for job in workflow.dag.jobs):
        print(f"\n{score_table(read_table(result('summarize/scores.tsv')))}")
        print(f"Report: {Path(index).resolve()}")


def show_unlisted():
    """Print which subjects the table of `layouts` does not list, or lists although they are gone, after a run."""
    table = result("layouts/subjects.tsv")
    if Path(table).exists() and any(table in job.output for job in workflow.dag.jobs):
        words = unlisted(SUBJECTS, [row["subject"] for row in read_table(table)], table)
        if words:
            print(f"\n{words}")


def show_nothing_done():
    """Print the same at the end of a run with nothing to be done, for which Snakemake calls no hook."""
    if workflow.is_main_process and workflow.scheduler is not None and not len(workflow.dag):
        show_unlisted()
        if not workflow.dryrun:
            show_report()


def quiet_jobs():
    """Let `quiet: rules` (profiles/default) leave out the block of each job on the console, but nothing else.

    Snakemake would also leave out the jobs that failed, and all of it from its log, from which failed jobs are read.
    """
    for handler in logger.handlers:
        for quiet in handler.filters:
            if Quietness.RULES in getattr(quiet, "quiet", ()):
                quiet.quiet = set(quiet.quiet) - {Quietness.RULES}
                if isinstance(handler, logging.FileHandler) or quiet.dryrun:
                    continue
                handler.addFilter(is_no_block)


def is_no_block(record):
    """Whether a message is none of those that Snakemake prints of each job."""
    return getattr(record, "event", None) not in BLOCKS and not record.getMessage().startswith(SCHEDULING)


quiet_jobs()
atexit.register(show_nothing_done)
