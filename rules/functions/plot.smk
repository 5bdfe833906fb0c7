# Inputs and params of the rules in plot.smk.
from glioseg.plot.figures import FIGURES


def get_subject_scores(wildcards):
    """The scores of a subject if it has a mask; otherwise nothing."""
    return [result(f"evaluate/{wildcards.subject}.json")] if MASK in subject_of(wildcards).files else []


def get_figure_inputs(wildcards):
    """Files from which a figure of the whole cohort is drawn."""
    cohort()  # Figures wait for split, which decides whether their inputs change.
    names, first = models(*MODELS), get_all_models(wildcards)[0]
    paths = [
        first if pattern == "{first_model}" else result(path)
        for pattern in FIGURES[wildcards.figure].inputs
        for path in expand(pattern, model=names, first_model=first)
    ]
    return [ancient(path) if path == result("split/cohort.tsv") else path for path in paths]


def get_figure_cohort(wildcards):
    """A hash of the whole cohort without the covariates, if a figure is drawn from it."""
    return get_cohort(wildcards) if "split/cohort.tsv" in FIGURES[wildcards.figure].inputs else ""


def get_figure_options(wildcards, input):
    """`--input FILE` for each input of a figure, and `--input FOLDER` for each folder that it also reads."""
    return each("input", [*input, *map(result, FIGURES[wildcards.figure].folders)])
