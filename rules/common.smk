import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from glioseg.evaluate.score_table import score_table
from glioseg.files import read_table
from glioseg.labels import MASK, REGIONS, classes_of
from glioseg.layouts.find_subjects import find_subjects, phantom_subjects
from glioseg.plot.figures import FIGURES
from glioseg.preprocess.memory import TUNABLES
from glioseg.report.gallery import viewed
from glioseg.split.cohort import COHORT_COLUMNS
from glioseg.split.models import (
    fold_of,
    models,
    models_for,
    validation_subjects,
    tuning_fold,
    predicted_subjects,
    scored_subjects,
    tuning_subjects,
    seed_of,
    training_subjects,
)
from glioseg.workflow.code_hash import code_hash
from glioseg.workflow.config import check_config, sources
from glioseg.workflow.failures import (
    PER_SUBJECT,
    PREDICTING,
    SCORING,
    failure_summary,
    failed_jobs,
    failed_subjects,
    read_failures,
    record,
)
from glioseg.workflow.options import each, options, paired


def sentence(function, *arguments):
    """Call a function of the library; its ValueError ends the run with its sentence alone."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def result(path):
    """A path below the folder of results; its wildcards stay."""
    return f"{RESULTS}/{path}"


def growing(first):
    """A resource that grows with each attempt by what it was at the first."""
    return lambda wildcards, attempt: first * attempt


sentence(check_config, config, Path(workflow.basedir, "rules", "config.schema.yaml"))

RESULTS = config["results"]
# What train and predict run on with --use-conda.
TENSORFLOW = f"../envs/{config['environment']}.yaml"
# Where subjects are held out by folds, the volumes below which tumor is dropped are searched on them; each segmentation is
# then finished by a job of its own, after that of the network.
TUNED = config["split"]["folds"] > 1 and any(config["tune_postprocess"].values())
SMALLEST = ("smallest_enhancing_ml", "smallest_component_ml")
# Regions whose probabilities are written.
PROBABILITIES = [name for name in config["predict"]["maps"] if name in REGIONS]
# Where the label maps are as the networks leave them.
NETWORK_MAPS = "predict/raw" if TUNED else "predict"
# Jobs that failed, as the Snakefile's onerror writes them.
LEDGER = result("summarize/failures.tsv")
# The same, where a run is to go on without whom they name.
LEDGERS = [LEDGER] if config["skip_failed"] else []
FAILURES = read_failures(list(map(Path, LEDGERS)))


wildcard_constraints:
    subject=r"[^/]+",
    model=r"(all|\d+)(_\d+)?",
    fold=r"all|\d+",
    figure=r"\w+",


def check_names():
    """End the run with a sentence for a subject that is to be taken or left out by name, and isn't there."""
    for setting in ("include", "exclude"):
        for name in config[setting]:
            if name not in SUBJECTS:
                raise WorkflowError(f"{setting}: {name} is not among the {len(SUBJECTS)} subjects of {config['data']}")


# Found once per start, before the graph is built: a file that isn't there is no input of any job.
PHANTOMS = (result("synthesize"), config["synthesize"]["subjects"]) if config["data"] == "phantoms" else ()
SUBJECTS = (
    phantom_subjects(*PHANTOMS, config["modalities"])
    if PHANTOMS
    else sentence(find_subjects, sources(config), config["modalities"])
)
check_names()
# How many models there are: folds, and seeds of each.
MODELS = (config["split"]["folds"], config["seeds"])
# What the network tells apart: the tissue classes that the data sets' masks have.
CLASSES = classes_of({subject.labels for subject in SUBJECTS.values() if MASK in subject.files})


def code(command, *files):
    """A hash of what a command and the library modules behind it (and further files) do: a param, so that a change of
    either reruns its jobs. A function, so that only jobs of the graph compute it."""
    return lambda wildcards: code_hash(Path(workflow.basedir, "scripts"), f"{command}.py", *files)


def cohort():
    """Rows of cohort.tsv, once split has written it."""
    return sentence(read_table, checkpoints.split.get().output.cohort, COHORT_COLUMNS)


def without_failed(names, *rules):
    """The subjects without a failed job of these rules, where the run skips failed subjects; otherwise all."""
    left_out = failed_subjects(FAILURES, *rules)
    return [name for name in names if name not in left_out]


def subject_of(wildcards):
    if wildcards.subject not in SUBJECTS:
        raise WorkflowError(f"{wildcards.subject} is not among the {len(SUBJECTS)} subjects of {config['data']}")
    return SUBJECTS[wildcards.subject]


def get_scan(wildcards):
    """The files that a subject has: its configured modalities, and its mask."""
    return {name: file.path for name, file in subject_of(wildcards).files.items()}


def get_scan_options(wildcards, input):
    """`--image MODALITY FILE VOLUME` for each modality that a subject has, and `--mask FILE VOLUME`."""
    words = []
    for name, file in subject_of(wildcards).files.items():
        words += ["--mask"] if name == MASK else ["--image", name]
        words += [file.path, str(file.volume)]
    return words


def get_labels(wildcards, input):
    """What the values of a subject's mask mean, by name."""
    return subject_of(wildcards).labels


def get_forced(wildcards, input):
    """Whether a subject takes part whatever its checks say."""
    return str(wildcards.subject in config["include"])


def get_preprocessed(wildcards):
    """Preprocessed folders of all subjects that aren't left out by name."""
    left_out = {*config["exclude"], *failed_subjects(FAILURES, "synthesize", "preprocess")}
    return [result(f"preprocess/{subject}") for subject in SUBJECTS if subject not in left_out]


def found_subjects():
    """A hash of the subjects and their files: a param, so that what came or went is noticed."""
    return hashlib.sha256(json.dumps(SUBJECTS).encode()).hexdigest()[:16]


def get_fold_subjects(wildcards):
    """Preprocessed folders of a model's training and validation subjects."""
    names = training_subjects(cohort(), wildcards.model)
    names += validation_subjects(cohort(), wildcards.model)[: config["train"]["validation_subjects"]]
    return [result(f"preprocess/{name}") for name in names]


def get_study():
    """How a scan becomes what the network reads, and what the values of its masks mean, as JSON."""
    dialects = {subject.labels for subject in SUBJECTS.values() if MASK in subject.files}
    # The values that a prediction outside of the workflow is written in, unless others are asked for.
    labels = min(dialects, default="brats2020")
    return json.dumps({"modalities": config["modalities"], "preprocess": config["preprocess"], "labels": labels})


def get_models(wildcards):
    """The models that never saw a subject."""
    names = sentence(models_for, cohort(), wildcards.subject, *MODELS)
    return [result(f"train/{name}/model.keras") for name in names]


def get_all_models(wildcards):
    return [result(f"train/{name}/model.keras") for name in models(*MODELS)]


def get_settings(wildcards):
    return [result(f"train/{name}/settings.json") for name in models(*MODELS)]


def get_predictions(wildcards):
    """Label maps of all subjects that some model never saw."""
    return [result(f"predict/{name}.nii.gz") for name in without_failed(predicted_subjects(cohort()), *PREDICTING)]


def get_uncertainties(wildcards):
    """How sure the segmentations of all predicted subjects are."""
    return [result(f"predict/{name}.json") for name in without_failed(predicted_subjects(cohort()), "predict")]


def get_tuning_predictions(wildcards):
    """Label maps as the networks left them, of the subjects that volumes are searched on for those of a fold."""
    names = without_failed(tuning_subjects(cohort(), wildcards.fold), "predict")
    return [result(f"{NETWORK_MAPS}/{name}.nii.gz") for name in names]


def get_tuned_volumes(wildcards):
    """The volumes below which tumor of a subject is dropped."""
    return result(f"tune_postprocess/{tuning_fold(cohort(), wildcards.subject)}.json")


def get_tuning_tables(wildcards):
    """Tables of all searches that there are: for the subjects of each fold, and for those in none."""
    folds = ["all", *models(config["split"]["folds"], 1)] if TUNED else []
    return [result(f"tune_postprocess/{fold}.tsv") for fold in folds]


def get_probabilities(wildcards):
    """Maps of the regions' probabilities, where they are asked for: calibration is told from them."""
    return [result(f"predict/maps/{wildcards.subject}/{name}.nii.gz") for name in PROBABILITIES]


def get_overlays(wildcards):
    """Maps of uncertainty that the viewer overlays, where they are asked for."""
    shown = [name for name in config["predict"]["maps"] if name in ("entropy", "disagreement")]
    return [result(f"predict/maps/{wildcards.subject}/{name}.nii.gz") for name in shown]


def get_scores(wildcards):
    """Scores of all predicted subjects that have a mask."""
    return [result(f"evaluate/{name}.json") for name in without_failed(scored_subjects(cohort()), *SCORING)]


def get_truth(wildcards):
    """The expert's mask of a subject."""
    files = get_scan(wildcards)
    if MASK not in files:
        raise WorkflowError(f"{wildcards.subject} has no mask, so its prediction can't be scored")
    return files[MASK]


def get_subject_scores(wildcards):
    """The scores of a subject, where it has a mask."""
    return [result(f"evaluate/{wildcards.subject}.json")] if MASK in get_scan(wildcards) else []


def get_learned_and_scored(wildcards):
    """Preprocessed folders of all subjects that have a mask and take part."""
    return [result(f"preprocess/{row['subject']}") for row in cohort() if row["fold"] and row["has_mask"] == "yes"]


def get_pictures(wildcards):
    """Picture folders of all predicted subjects."""
    names = without_failed(predicted_subjects(cohort()), *SCORING, "plot_subject")
    return [result(f"plot/subjects/{name}") for name in names]


def get_volumes(wildcards):
    """Scripts with the scans of the subjects whose page has a viewer."""
    viewer, tables = config["report"]["viewer"], ([], [])
    # Only where it matters who is pictured, which the scores tell: the scans needn't wait for them otherwise.
    if viewer == "gallery":
        summary = checkpoints.summarize.get().output
        tables = (read_table(summary.subjects), read_table(summary.uncertainty))
    names = without_failed(viewed(viewer, cohort(), *tables, config["report"]["gallery"]), *PREDICTING, "embed")
    return [result(f"report/volumes/{name}.js") for name in names]


def get_figure_inputs(wildcards):
    """What a figure of the whole cohort is drawn from."""
    names = models(*MODELS)
    return [
        result(path)
        for pattern in FIGURES[wildcards.figure].inputs
        for path in expand(pattern, model=names, first_model=names[:1])
    ]


def get_figure_options(wildcards, input):
    """`--input FILE` for each of them, and for the folders that a figure reads as well."""
    return each("input", [*input, *map(result, FIGURES[wildcards.figure].folders)])


def get_figures(wildcards):
    """All figures that this study has."""
    return [result(f"plot/{name}.png") for name, figure in FIGURES.items() if figure.wanted(config)]


def get_templates(wildcards):
    """What the report's pages are made of."""
    folder = Path(workflow.basedir, "scripts/glioseg/report/templates")
    return [f"scripts/glioseg/report/templates/{path.name}" for path in sorted(folder.iterdir())]
