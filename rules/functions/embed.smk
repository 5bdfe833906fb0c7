# Inputs and params of the rules in embed.smk.
from glioseg.report.gallery import viewed
from glioseg.report.segmenter.runtime import insist_on_runtime

# What the page that segments scans needs is asked for now, and not after hours of training.
if config["report"]["model"]:
    sentence(insist_on_runtime)


def get_overlays(wildcards):
    """Configured uncertainty maps of a subject, which the viewer overlays."""
    shown = [name for name in config["predict"]["maps"] if name in ("entropy", "disagreement")]
    return maps_of(wildcards.subject, shown)


def get_volumes(wildcards):
    """JavaScript files with the scans of the subjects whose page has a viewer."""
    viewer, tables = config["report"]["viewer"], ([], [])
    # Only "gallery" depends on the scores; with the other values the viewers need not wait for them.
    if viewer == "gallery":
        summary = checkpoints.summarize.get().output
        tables = (read_table(summary.subjects), read_table(summary.uncertainty))
    names = without_failed(viewed(viewer, cohort(), *tables, config["report"]["gallery"]), *PREDICTING, "embed")
    return [result(f"report/volumes/{name}.js") for name in names]


def get_own_thresholds(wildcards):
    """The thresholds that the study chose for scans of no fold, if it chooses any."""
    return [result("tune_postprocess/all.json")] if TUNED else []


def get_segmenter_templates(wildcards):
    """Templates and scripts of the page that segments scans."""
    folder = Path(HOME, "scripts/glioseg/report/templates")
    runtime = Path(HOME, "envs/npm/package.json")
    return list(map(str, [runtime, folder / "page.css", *sorted((folder / "segment").iterdir())]))


def get_segmenter(wildcards):
    """With report: model, the page of the report that segments scans."""
    return [result("report/segment.html")] if config["report"]["model"] else []
