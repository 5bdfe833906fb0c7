"""The library for brain tumor segmentation that the workflow's commands call. It does not import Snakemake.

Its folders and modules, in the order in which a study runs:

labels      label values, tissue classes and regions
colors      the colors of tissues and regions
files       JSON, tables and arrays on disk; a file is written completely or not at all
choices     choosing an entry of a registry by name
scan_facts  the content of scan.json
model_files finished models in a results folder, a bundle, or alone
workflow    settings, options, failed jobs and code hashes
volumes     3-D arrays with geometry
synthesize  phantom patients
layouts     recognizing data sets and finding their files
preprocess  converting a subject's files to arrays
split       the cohort, its folds, and which model predicts which subject
train       training a network on arrays
predict     segmenting subjects with networks
evaluate    computing and summarizing scores
plot        figures
report      the HTML report
export      finished models in one file, BIDS derivatives
api         segmenting one scan from Python: from glioseg import segment
cli         the command glioseg of an installed package

A module imports only from its own layer and from the layers below it. The layers, from the top, are: api, cli; report,
export; plot; predict; layouts, preprocess, evaluate; synthesize, train, volumes, workflow, split; colors,
files, labels, choices, scan_facts, model_files.
"""

# The wheel holds only this file here. The rest of the library lies in the workflow's folder, where its jobs find it.
__path__.append(f"{__path__[0]}/home/scripts/glioseg")


def __getattr__(name: str):
    """Load `segment` when it is asked for: it needs NumPy, which the Snakefile and its jobs do not."""
    if name == "segment":
        from importlib import import_module

        return import_module("glioseg.api").segment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
