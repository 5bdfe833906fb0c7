import atexit
import os

from snakemake.utils import min_version

min_version("9.27")


# This folder, wherever Snakemake is started, and also if another workflow uses this one as a module. Relative to the
# working directory, so that the commands of a study stay the same if both move together.
HOME = os.path.relpath(workflow.current_basedir.get_path_or_uri(secret_free=True))


configfile: os.path.join(HOME, "config.yaml")


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/study.smk"
# Input functions first: a rule may need those of a later one.
include: "rules/functions/register.smk"
include: "rules/functions/data.smk"
include: "rules/functions/train.smk"
include: "rules/functions/predict.smk"
include: "rules/functions/postprocess.smk"
include: "rules/functions/bids.smk"
include: "rules/functions/evaluate.smk"
include: "rules/functions/plot.smk"
include: "rules/functions/embed.smk"
include: "rules/functions/report.smk"
include: "rules/console.smk"
include: "rules/containers.smk"
include: "rules/register.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/predict.smk"
include: "rules/postprocess.smk"
include: "rules/bids.smk"
include: "rules/evaluate.smk"
include: "rules/plot.smk"
include: "rules/embed.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        result("report/index.html"),
        result("ro-crate-metadata.json"),
        get_bids,
        get_own_grids,


# Two runs that start in different folders do not see each other's lock of Snakemake.
onstart:
    sentence(claim, Path(RESULTS))
    atexit.register(release, Path(RESULTS))


# Record failed jobs, so that the next run can go on without their subjects.
onerror:
    remaining = record(Path(LEDGER), failed_jobs("".join(Path(name).read_text() for name in log)))
    if remaining:
        print(f"\n{failure_summary(remaining, Path(LEDGER))}")


onsuccess:
    record(Path(LEDGER), [])
    show_unlisted()
    show_report()
