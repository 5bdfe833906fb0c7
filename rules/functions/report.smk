# Inputs of the rules in report.smk.
from glioseg.plot.figures import FIGURES, Contents


def get_tuning_tables(wildcards):
    """Tables of all threshold searches: one per fold, and "all" for subjects in no fold."""
    folds = ["all", *models(MODELS[0], 1)] if TUNED else []
    return [result(f"tune_postprocess/{fold}_tried.tsv") for fold in folds]


def get_chosen(wildcards):
    """What was chosen for the subjects of each fold, and for those in no fold."""
    return [path.replace("_tried.tsv", ".json") for path in get_tuning_tables(wildcards)]


def get_pictures(wildcards):
    """Folders of figures of all predicted subjects."""
    names = without_failed(predicted_subjects(cohort()), *SCORING, "plot_subject")
    return [result(f"plot/subjects/{name}") for name in names]


def get_figures(wildcards):
    """All figures of this study."""
    contents = Contents(config, [subject.patient for subject in SUBJECTS.values()], bool(MASKED))
    return [result(f"plot/{name}.png") for name, figure in FIGURES.items() if figure.wanted(contents)]


def get_templates(wildcards):
    """Templates of the report."""
    folder = Path(HOME, "scripts/glioseg/report/templates")
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]
