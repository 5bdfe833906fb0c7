"""The checklist for artificial intelligence in medical imaging, with what a run knows of it.

The items are those of Mongan et al. 2020 (doi:10.1148/ryai.2020200029), in short words.
"""

from collections.abc import Sequence

from glioseg.report.run import Run
from glioseg.split.cohort import counted

# What only the authors of a study know.
AUTHOR = "author"
ITEMS = (
    "Title: a study of artificial intelligence, and of which kind",
    "Abstract: structured summary of design, methods, results and conclusions",
    "Background: intended use and clinical role",
    "Objectives and hypotheses",
    "Prospective or retrospective study",
    "Goal of the study",
    "Sources of the data",
    "Eligibility criteria: how, where and when participants were found",
    "Preprocessing of the data",
    "Selection of subsets of the data",
    "Definitions of data elements",
    "De-identification",
    "Handling of missing data",
    "Definition of the reference standard",
    "Reason for choosing the reference standard",
    "Source of the annotations, and qualifications of annotators",
    "Annotation tools",
    "Variability between and within annotators",
    "Intended sample size",
    "Assignment of data to partitions",
    "Level at which partitions are disjoint",
    "Model: inputs, outputs, layers",
    "Software libraries",
    "Initialization of the model",
    "Training: augmentation, hyperparameters, number of models",
    "Selection of the final model",
    "Ensembling",
    "Metrics of performance",
    "Statistical uncertainty and significance",
    "Robustness or sensitivity analysis",
    "Explainability",
    "Validation or testing on external data",
    "Flow of participants: inclusion and exclusion",
    "Demographic and clinical characteristics in each partition",
    "Performance on all partitions",
    "Estimates of accuracy and their precision",
    "Analysis of failures",
    "Limitations",
    "Implications for practice",
    "Registration",
    "Full study protocol, software, data and model",
    "Funding",
)


def claim(run: Run, covariates: Sequence[str]) -> list[dict]:
    """{"number", "item", "answer"} for each item of the checklist; the answer is `AUTHOR` if only the authors know it.

    covariates: those that the cohort has.
    """
    known = _answers(run, covariates)
    return [
        {"number": number, "item": item, "answer": known.get(number) or AUTHOR}
        for number, item in enumerate(ITEMS, start=1)
    ]


def _answers(run: Run, covariates: Sequence[str]) -> dict[int, str]:
    external, scored = bool(run.config.get("models")), bool(run.scores)
    phantoms = run.config.get("data") == "phantoms"
    excluded = sum(row["verdict"] == "excluded" for row in run.cohort)
    masks = sum(row["has_mask"] == "yes" for row in run.cohort if row["verdict"] != "excluded")
    models = len(run.trainings)
    folds = sorted({row["fold"] for row in run.cohort if row["fold"]})
    answers = {
        9: "Methods, first paragraph",
        10: f"{excluded} of {len(run.cohort)} subjects were excluded by the checks that the section Cohort lists",
        13: "Methods, first paragraph; reasons for exclusions in the section Cohort",
        20: f"Methods; groups: {', '.join(folds)}; split/cohort.tsv lists each subject" if folds else "",
        21: "The patient: all visits of a patient, and duplicates of a scan, are on one side",
        22: "Methods, second paragraph; figure of the network in the section Training",
        23: "Methods; versions in the section Provenance",
        25: f"Methods; {models} {'model' if models == 1 else 'models'}; all settings in the section Provenance",
        26: "The model of the last epoch; no held-out subject influenced the choice",
        32: "This cohort is external: no model learned from it" if external else "",
        33: f"{counted(run.cohort)} found, {excluded} excluded, each with its reason in the section Cohort",
        34: f"Section Cohort, in the table of included subjects: {', '.join(covariates)}" if covariates else "",
        41: f"glioseg {run.commit}; full configuration and SHA-256 of data and models in the section Provenance",
    }
    if models > 1:
        answers[27] = "The mean of the outputs of all models, for subjects that none of them learned from"
    if any(training["settings"].get("start") for training in run.trainings):
        answers[24] = "From another model; see the section Training"
    elif run.trainings and not external:
        answers[24] = "Random values, from the seed in the section Training"
    if phantoms:
        answers |= {7: "Synthetic patients (phantoms), made by glioseg", 12: "Not needed: no real patients"}
        answers |= {14: "The tissue that each voxel of a phantom was made of", 16: "Not needed: the truth is known"}
    if scored:
        answers |= {
            28: "Section Scores; formulas and sources in the glossary",
            29: "Section Scores: 95 % bootstrap intervals of the mean, which resample patients",
            35: f"Section Scores: {masks} included subjects with a mask, scored where held out",
            36: "Section Scores; each subject in summarize/subjects.tsv",
            37: "Section Segmentations: lowest scores first; missed and spurious lesions in the section Scores",
        }
    return answers
