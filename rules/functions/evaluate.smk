# Inputs and params of the rules in evaluate.smk.
from glioseg.split.models import scored_subjects


def truth_of(wildcards):
    """The mask of a subject, which holds the truth."""
    files = subject_of(wildcards).files
    if MASK not in files:
        raise WorkflowError(f"{wildcards.subject} has no mask, so its prediction cannot be scored")
    return files[MASK]


def get_truth(wildcards):
    """The mask of a phantom, or the folder of registered series.

    The mask of a data set is no input, so that its place is no reason to run again.
    """
    truth = truth_of(wildcards)
    return [result("register/{subject}")] if REGISTERED else [truth.path] if PHANTOMS else []


def get_truth_option(wildcards, input):
    """`--truth FILE VOLUME`. Since it has `input`, this is not among the reasons to run a job again."""
    return ["--truth", *map(str, truth_of(wildcards))]


def get_probabilities(wildcards):
    """Configured probability maps of a subject's regions, from which the calibration is computed."""
    return maps_of(wildcards.subject, PROBABILITIES)


def get_regions_before(wildcards):
    """The same maps before they were calibrated, if a temperature is chosen."""
    return maps_of(wildcards.subject, PROBABILITIES if CALIBRATED else [], NETWORK_FACTS)


def masked_subjects():
    """All included subjects with a mask."""
    return [row["subject"] for row in cohort() if row["fold"] and row["has_mask"] == "yes"]


def get_learned_and_scored(wildcards):
    """Preprocessed folders of all included subjects with a mask."""
    return [result(f"preprocess/{name}") for name in masked_subjects()]


def get_baselines(wildcards):
    """The scores of the baselines, which learn from the training subjects; none with finished models."""
    return [] if GIVEN else [result("baseline/scores.tsv")]


def get_scores(wildcards):
    """Scores of all predicted subjects that have a mask."""
    return [result(f"evaluate/{name}.json") for name in without_failed(scored_subjects(cohort()), *SCORING)]


def get_uncertainties(wildcards):
    """Uncertainties of the segmentations of all predicted subjects."""
    rules = PREDICTING if CALIBRATED else ["predict"]
    return [result(f"predict/{name}.json") for name in without_failed(predicted_subjects(cohort()), *rules)]


def get_measured(wildcards):
    """Volumes of the segmentations of all predicted subjects."""
    return [result(f"{MEASURED}/{name}.json") for name in without_failed(predicted_subjects(cohort()), *PREDICTING)]


def get_cohort(wildcards):
    """A hash of the whole cohort without the covariates."""
    return identity([row["subject"] for row in cohort()], *COHORT_COLUMNS)
