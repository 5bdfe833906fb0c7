from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "rules/captions/workflow.rst"


include: "rules/common.smk"
include: "rules/data.smk"
include: "rules/model.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        f"{RESULTS}/report/index.html",


# What failed stands in a file; who is told of it can go on without those subjects.
onerror:
    standing = record(Path(LEDGER), failed_jobs("".join(Path(name).read_text() for name in log)))
    if standing:
        print(f"\n{describe(standing, Path(LEDGER))}")


onsuccess:
    record(Path(LEDGER), [])
    if Path(f"{RESULTS}/report/index.html").exists():
        # Imported here: it loads SciPy, and every job of a cluster reads this file.
        from glioseg.summary import score_table

        print(
            f"\n{score_table(read_table(f'{RESULTS}/summarize/scores.tsv'))}\nReport: {Path(RESULTS).resolve()}/report/index.html"
        )
