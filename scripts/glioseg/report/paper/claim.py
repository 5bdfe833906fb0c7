"""The checklist for artificial intelligence in medical imaging, with what a run knows of it.

The 44 items are those of its update of 2024 (Tejani et al., doi:10.1148/ryai.240300), in short words.
"""

from collections.abc import Sequence

from glioseg.report.run import Run
from glioseg.split.cohort import counted

# What only the authors of a study know.
AUTHOR = "author"
ITEMS = (
    "Title or abstract: a study of artificial intelligence, and of which kind",
    "Abstract: structured summary of design, methods, results and conclusions",
    "Background: scientific and clinical, with intended use and clinical role",
    "Aims, objectives and hypotheses",
    "Prospective or retrospective study",
    "Goal of the study",
    "Sources of the data",
    "Criteria of inclusion and exclusion",
    "Preprocessing of the data",
    "Selection of subsets of the data",
    "Methods of de-identification",
    "Handling of missing data",
    "Protocol of image acquisition",
    "Methods by which the reference standard was obtained",
    "Reason for choosing the reference standard",
    "Source of the annotations of the reference standard",
    "Annotation of the test set",
    "Variability between and within annotators",
    "Assignment of data to partitions",
    "Level at which partitions are disjoint",
    "Intended sample size",
    "Model: detailed description",
    "Software libraries, frameworks and packages",
    "Initialization of the model's parameters",
    "Training: augmentation, hyperparameters, number of models",
    "Method of selecting the final model",
    "Ensembling",
    "Metrics of performance",
    "Statistical measures of significance and uncertainty",
    "Robustness or sensitivity analysis",
    "Methods for explainability or interpretability",
    "Evaluation on internal data",
    "Testing on external data",
    "Registration of a clinical trial",
    "Numbers of patients or examinations included and excluded",
    "Demographic and clinical characteristics in each partition",
    "Performance and its statistical uncertainty",
    "Estimates of diagnostic performance and their precision",
    "Failure analysis of incorrect results",
    "Limitations",
    "Implications for practice, with intended use and clinical role",
    "Reference to the full study protocol or to technical details",
    "Availability of software, trained model and data",
    "Funding and other support; role of funders",
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
        8: "Section Cohort: the checks, and the reason for each exclusion",
        9: "Methods, first paragraph",
        10: f"{excluded} of {len(run.cohort)} subjects were excluded by the checks that the section Cohort lists",
        12: "Methods, first paragraph; reasons for exclusions in the section Cohort",
        19: f"Methods; groups: {', '.join(folds)}; split/cohort.tsv lists each subject" if folds else "",
        20: "The patient: all visits of a patient, and duplicates of a scan, are on one side",
        22: "Methods, second paragraph; figure of the network in the section Training",
        23: "Methods; versions in the section Provenance",
        25: f"Methods; {models} {'model' if models == 1 else 'models'}; all settings in the section Provenance",
        26: "The model of the last epoch; no held-out subject influenced the choice",
        33: "This cohort is external: no model learned from it" if external else "",
        35: f"{counted(run.cohort)} found, {excluded} excluded, each with its reason in the section Cohort",
        36: f"Section Cohort, in the table of included subjects: {', '.join(covariates)}" if covariates else "",
        42: "Full configuration and SHA-256 of data and models in the section Provenance",
        43: f"Software: glioseg {run.commit}. Trained model and data: author",
    }
    if models > 1:
        answers[27] = "The mean of the outputs of all models, for subjects that none of them learned from"
    if any(training["settings"].get("start") for training in run.trainings):
        answers[24] = "From another model; see the section Training"
    elif run.trainings and not external:
        answers[24] = "Random values, from the seed in the section Training"
    if phantoms:
        answers |= {7: "Synthetic patients (phantoms), made by glioseg", 11: "Not needed: no real patients"}
        answers |= {14: "The tissue that each voxel of a phantom was made of", 16: "Not needed: the truth is known"}
        answers |= {13: "Simulated; glioseg describes the phantoms in its code", 17: "Not needed: the truth is known"}
    if scored:
        answers |= {
            28: "Section Scores; formulas and sources in the glossary",
            29: "Section Scores: 95 % bootstrap intervals of the mean, which resample patients",
            37: f"Section Scores: {masks} included subjects with a mask, scored where held out",
            39: "Section Segmentations, lowest scores first; false positive and false negative lesions in Scores",
        }
        if not external:
            answers[32] = "Section Scores: every scored subject was held out from the models that predicted it"
    return answers
