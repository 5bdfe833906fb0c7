# Inputs and params of the rules in train.smk.
from glioseg.split.models import fold_of, models, seed_of, training_subjects, validation_subjects
from glioseg.train.start.source import start_models

# Lines that TensorFlow prints when it is loaded, whatever its level of logging.
BANNER = r"\%absl::InitializeLog\|oneDNN custom operations\|cpu_feature_guard\|rebuild TensorFlow with%d"
# The models to go on from.
STARTS = sentence(start_models, config["train"]["start"]) if config["train"]["start"] else []
if inside := [model for model in STARTS if lies_in(model, Path(RESULTS))]:
    raise WorkflowError(
        f"train: start: {inside[0]} is a result of this study, which the training would replace; copy its folder to "
        "another place, or set results to another folder"
    )
# Classes that the network predicts: all tissue classes in the masks of the data sets.
CLASSES = classes_of(MASKED)


def fold_subjects(model):
    """A model's training and validation subjects."""
    held_out = validation_subjects(cohort(), model)[: config["train"]["validation_subjects"]]
    return training_subjects(cohort(), model) + held_out


def get_fold_subjects(wildcards):
    """Preprocessed folders of a model's training and validation subjects."""
    return [result(f"preprocess/{name}") for name in fold_subjects(wildcards.model)]


def get_fold_cohort(wildcards):
    """cohort.tsv, whose time counts only if a model learned from other subjects than it is to learn from.

    Snakemake's records would tell the same, but a results folder may have been copied without them.
    """
    table, settings = result("split/cohort.tsv"), Path(result(f"train/{wildcards.model}/settings.json"))
    learned = sentence(read_json, settings).get("subjects") if settings.exists() else None
    return ancient(table) if learned == training_subjects(cohort(), wildcards.model) else table


def get_fold_content(wildcards):
    """A hash of what preprocess made of a model's training and validation subjects."""
    return identity(fold_subjects(wildcards.model), "content")


def get_start(wildcards, input):
    """`--start PATH`, where the models to go on from are. Since it has `input`, this is not among the reasons to run a job again."""
    return options({"start": config["train"]["start"]})


def get_start_content():
    """The SHA-256 of the models to go on from."""
    return " ".join(sentence(content_of, model) for model in STARTS)


def get_study():
    """How scans are preprocessed, and the label dialect of predictions outside of the workflow, as JSON."""
    labels = min(MASKED, default="brats2020")
    return json.dumps({"modalities": config["modalities"], "preprocess": config["preprocess"], "labels": labels})


def get_all_models(wildcards):
    """All models: those that the study trains, or the finished ones that it uses."""
    return GIVEN or [result(f"train/{name}/model.keras") for name in models(*MODELS)]


def get_settings(wildcards):
    """The settings of the models that the study trains."""
    return [] if GIVEN else [result(f"train/{name}/settings.json") for name in models(*MODELS)]
