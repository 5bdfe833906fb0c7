# Inputs and params of the rules in predict.smk.
from glioseg.split.models import models_for, predicted_subjects

# Label dialects of the segmentations, by the names of their tables of colors.
LABEL_TABLES = {"labels" if len(DIALECTS) == 1 else f"labels_{name}": name for name in DIALECTS}


def maps_of(subject, names, folder="predict"):
    """The maps of a subject with these names; with NETWORK_FACTS as folder, those that the networks predict."""
    return [result(f"{folder}/maps/{subject}/{name}.nii.gz") for name in names]


def get_arrays(wildcards):
    """A subject's preprocessed folder, once split has written its content to cohort.tsv."""
    cohort()
    return result(f"preprocess/{wildcards.subject}")


def get_content(wildcards):
    """A hash of what preprocess made of a subject."""
    return identity([wildcards.subject], "content")


def get_models(wildcards):
    """The models that were not trained on a subject."""
    names = sentence(models_for, cohort(), wildcards.subject, *MODELS)
    return GIVEN or [result(f"train/{name}/model.keras") for name in names]


def get_predictions(wildcards):
    """Label maps of all subjects with a model that was not trained on them."""
    return [result(f"predict/{name}.nii.gz") for name in without_failed(predicted_subjects(cohort()), *PREDICTING)]


def get_label_tables(wildcards):
    """Tables of the values in segmentations, with names and colors, for other viewers."""
    return [result(f"predict/{name}{ending}") for name in LABEL_TABLES for ending in (".txt", ".ctbl")]
