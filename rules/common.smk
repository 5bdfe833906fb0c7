import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path

# The folder of the commands. Jobs find it in their environment, and not in a param, so that the place of this project
# is not among the reasons to run a job again. They import no packages from ~/.local, which may differ from those of
# their environment.
GLIOSEG = os.path.abspath(f"{HOME}/scripts")
os.environ.update(GLIOSEG=GLIOSEG, PYTHONNOUSERSITE="1")
sys.path.insert(0, GLIOSEG)

from glioseg.files import read_json, read_table
from glioseg.labels import EVERYWHERE, MASK, REGIONS, classes_of
from glioseg.layouts.covariates import rows_of
from glioseg.layouts.find_subjects import find_subjects, insist_on_modalities, phantom_subjects, registered_subjects
from glioseg.layouts.folders import state_of
from glioseg.model_files import CUTS, SMALLEST, TEMPERATURE, content_of, files_of, lies_in
from glioseg.plot.figures import FIGURES, Contents
from glioseg.export.derivatives import bids_names, endings_of, place_of
from glioseg.predict.given_models import follow, given_models
from glioseg.preprocess.memory import TUNABLES
from glioseg.report.gallery import viewed
from glioseg.report.segmenter.runtime import insist_on_runtime
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
from glioseg.split.own_folds import fold_count, folds_by, folds_of
from glioseg.train.start.source import start_model
from glioseg.workflow.code_hash import code_hash
from glioseg.workflow.config import add_defaults, calibrates, check_config, read_yaml, searches_regions, sources
from glioseg.workflow.failures import (
    PER_SUBJECT,
    PREDICTING,
    PREPARING,
    SCORING,
    failure_summary,
    failed_jobs,
    failed_subjects,
    read_failures,
    record,
)
from glioseg.workflow.home import brain_model
from glioseg.workflow.one_run import claim, release
from glioseg.workflow.options import each, options, paired


def sentence(function, *arguments):
    """Call a function of the library; a ValueError ends the run with its message and no traceback."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def result(path):
    """A path inside the results folder; wildcards in it are kept."""
    return f"{RESULTS}/{path}"


def growing(first):
    """A resource that is `first` times the number of the attempt."""
    return lambda wildcards, attempt: first * attempt


# Lines that TensorFlow prints when it is loaded, whatever its level of logging.
BANNER = r"\%absl::InitializeLog\|oneDNN custom operations\|cpu_feature_guard\|rebuild TensorFlow with%d"

add_defaults(config, Path(HOME, "config.yaml"))
sentence(check_config, config, Path(HOME, "rules/config.schema.yaml"))

RESULTS = config["results"]
# Environment of train and predict with --use-conda.
TENSORFLOW = f"../envs/{config['environment']}.yaml"
# Finished models that segment the subjects (the setting models); none if the study trains its own. A bundle is a file
# with several models.
FINISHED = sentence(given_models, config)
GIVEN = list(map(str, files_of(FINISHED)))
# Settings that a prediction depends on.
PREDICT = {name: value for name, value in config["predict"].items() if name != "layout"}
# Regions whose probability maps are written.
PROBABILITIES = [name for name in config["predict"]["maps"] if name in REGIONS]
# Table of failed jobs, written by onerror in the Snakefile.
LEDGER = result("summarize/failures.tsv")
# The same table if the run skips the subjects listed in it.
LEDGERS = [LEDGER] if config["skip_failed"] else []
FAILURES = read_failures(list(map(Path, LEDGERS)))


wildcard_constraints:
    subject=r"[^/]+",
    place=r"sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    name=r"sub-[A-Za-z0-9]+(_ses-[A-Za-z0-9]+)?",
    model=r"(all|\d+)(_\d+)?",
    fold=r"all|\d+",
    figure=r"\w+",
    tables=r"labels(_[\w-]+)?",


def check_names():
    """Stop the run if `include` or `exclude` names an unknown subject."""
    for setting in ("include", "exclude"):
        for name in config[setting]:
            if name not in SUBJECTS:
                raise WorkflowError(f"{setting}: {name} is not among the {len(SUBJECTS)} subjects of {config['data']}")


def count_folds():
    """Number of folds: the configured one, or that of the user's own folds (split: file, split: by)."""
    file, by = config["split"]["file"], config["split"]["by"]
    if file and by:
        raise ValueError('split: file and split: by exclude each other; set one of them to ""')
    if file:
        return fold_count(folds_of(rows_of(file), file)[1])
    if not by:
        return config["split"]["folds"]
    masked = {name: subject for name, subject in SUBJECTS.items() if MASK in subject.files}
    values = {name: subject.covariates.get(by, "") for name, subject in masked.items() if name not in config["exclude"]}
    return fold_count(folds_by(values, by))


if FINISHED:
    sentence(follow, config, FINISHED, workflow.config_settings.overwrite_config, read_yaml(Path(HOME, "config.yaml")))

# Whether patches are drawn from the tissue maps of phantoms.
RANDOM_CONTRAST = config["train"]["contrast"] == "random" and not GIVEN
if RANDOM_CONTRAST and config["data"] != "phantoms":
    raise WorkflowError(
        f"train: contrast: random needs the tissue maps of phantoms, found data: {config['data']}; set train: contrast "
        "to scan, or data to phantoms"
    )
# Subjects are found before the graph is built, so that a missing file is not the input of any job.
PHANTOMS = (result("synthesize"), config["synthesize"]["subjects"]) if config["data"] == "phantoms" else ()
SUBJECTS = (
    sentence(phantom_subjects, *PHANTOMS, config["modalities"])
    if PHANTOMS
    else sentence(find_subjects, sources(config), config["modalities"])
)
# Models that learned from zeros in the place of a modality segment a data set without it.
if not (GIVEN and config["preprocess"]["missing"] == "zeros"):
    sentence(
        insist_on_modalities,
        config["modalities"],
        dict.fromkeys(name for subject in SUBJECTS.values() for name in subject.files),
        str(config["data"]),
    )
check_names()
# The files as they were found. If series are brought to a common space, all further jobs read the files that register
# writes.
SERIES = SUBJECTS
REGISTERED = config["register"]["mode"] != "never"
if REGISTERED:
    SUBJECTS = registered_subjects(SERIES, result("register"))
# Whether a network finds the brain, and otherwise the folder with the user's masks of the brain.
STRIPPED = REGISTERED and config["register"]["strip"] == "network"
STRIPPER = content_of(sentence(brain_model)) if STRIPPED else ""
BRAINS = "" if config["register"]["strip"] in ("none", "network") else config["register"]["strip"]
if BRAINS and not os.path.isdir(BRAINS):
    raise WorkflowError(
        f"register: strip: {BRAINS} is no folder; expected none, network, or the folder with a mask of the brain "
        "SUBJECT.nii.gz for each subject"
    )
# Number of folds, and of models (seeds) per fold, that the study trains.
MODELS = (1, 1) if GIVEN else (sentence(count_folds), config["seeds"])
# With cross-validation, the size thresholds for removing small tumor are chosen on held-out subjects, and those of the
# regions' probabilities if the networks predict regions. A separate job then postprocesses each segmentation.
SEARCHED = MODELS[0] > 1 and searches_regions(config)
# A temperature of the probabilities is chosen there, too.
CALIBRATED = MODELS[0] > 1 and calibrates(config)
TUNED = SEARCHED or CALIBRATED or (MODELS[0] > 1 and any(config["tune_postprocess"][name] for name in SMALLEST))
# Folder of the label maps as the networks predict them.
NETWORK_MAPS = "predict/raw" if TUNED else "predict"
# Folder of the uncertainties and, in maps/, of the maps as the networks predict them.
NETWORK_FACTS = "predict/raw" if CALIBRATED else "predict"
# Folder of the volumes of the final label maps, a JSON file per subject.
MEASURED = "postprocess" if TUNED else "predict"
# The model to go on from.
START = sentence(start_model, config["train"]["start"]) if config["train"]["start"] else None
if START and lies_in(START, Path(RESULTS)):
    raise WorkflowError(
        f"train: start: {START} is a result of this study, which the training would replace; copy its folder to another "
        "place, or set results to another folder"
    )
# What the page that segments scans needs is asked for now, and not after hours of training.
if config["report"]["model"]:
    sentence(insist_on_runtime)
# Label dialects of the segmentations, by the names of their tables of colors.
DIALECTS = sorted({subject.labels for subject in SUBJECTS.values()})
LABEL_TABLES = {"labels" if len(DIALECTS) == 1 else f"labels_{name}": name for name in DIALECTS}
# With predict: layout: bids, the name of each subject in BIDS; how its files end; and the files that describe them all.
BIDS_NAMES = (
    sentence(bids_names, {name: one.patient for name, one in SUBJECTS.items() if name not in config["exclude"]})
    if config["predict"]["layout"] == "bids"
    else {}
)
OF_BIDS = {name: subject for subject, name in BIDS_NAMES.items()}
BIDS_ENDINGS = endings_of(PROBABILITIES, len(DIALECTS) > 1)
BIDS_FILES = ["dataset_description.json", "README.md", "participants.tsv", "participants.json"]
BIDS_FILES += ["dseg.tsv", "dseg.json"] if len(DIALECTS) == 1 else []
# Label dialects of the masks.
MASKED = {subject.labels for subject in SUBJECTS.values() if MASK in subject.files}
# Classes that the network predicts: all tissue classes in the masks of the data sets.
CLASSES = classes_of(MASKED)


def code(command, *files):
    """A function that hashes the code of a command, of the library modules it imports, and of further files.

    As a param, the hash reruns the jobs of a rule whose code changed. It is a function so that only jobs in the graph
    compute it.
    """
    return lambda wildcards: code_hash(Path(GLIOSEG), f"{command}.py", *files)


@cache
def cohort_of(path, modified):
    """Rows of a cohort table, read once for each time at which it was modified."""
    return sentence(read_table, path, COHORT_COLUMNS)


def cohort():
    """Rows of cohort.tsv, once split has written it."""
    path = Path(checkpoints.split.get().output.cohort)
    return cohort_of(path, path.stat().st_mtime_ns if path.exists() else 0)


def identity(names, *columns):
    """A hash of these columns of cohort.tsv for these subjects.

    As a param beside an `ancient` cohort.tsv, it reruns a job if what the job reads of its subjects changed, and not if
    a column that it does not read, or another subject, did.
    """
    rows = {row["subject"]: row for row in cohort()}
    return hashlib.sha256(json.dumps([[name, *map(rows[name].get, columns)] for name in names]).encode()).hexdigest()[
        :16
    ]


def get_cohort(wildcards):
    """A hash of the whole cohort without the covariates."""
    return identity([row["subject"] for row in cohort()], *COHORT_COLUMNS)


def get_content(wildcards):
    """A hash of what preprocess made of a subject."""
    return identity([wildcards.subject], "content")


def without_failed(names, *rules):
    """The names without a failed job of these rules if the run skips failed subjects; otherwise all names."""
    left_out = failed_subjects(FAILURES, *rules)
    return [name for name in names if name not in left_out]


def subject_of(wildcards):
    if wildcards.subject not in SUBJECTS:
        raise WorkflowError(f"{wildcards.subject} is not among the {len(SUBJECTS)} subjects of {config['data']}")
    return SUBJECTS[wildcards.subject]


def series_of(wildcards):
    """The files of the wildcard's subject as they were found, by name; the errors are those of `subject_of`."""
    subject_of(wildcards)
    return SERIES[wildcards.subject].files


def get_series(wildcards):
    """Files of a phantom by name. Those of a data set are no inputs, so that their place is no reason to run again."""
    return {name: file.path for name, file in series_of(wildcards).items()} if PHANTOMS else {}


def get_scan(wildcards):
    """Files of a subject as `get_series` finds them, or the folder of its registered series; and its tissue maps."""
    files = {"registered": result("register/{subject}")} if REGISTERED else get_series(wildcards)
    maps = {"tissues": result(f"synthesize/{wildcards.subject}/{wildcards.subject}_tissues.npy")}
    return files | (maps if RANDOM_CONTRAST else {})


def get_state(wildcards, *names):
    """The size, time and volume of a subject's files of a data set: what reruns the jobs that read them.

    names: modalities, and MASK; without them, all files.
    """
    files = {name: file for name, file in series_of(wildcards).items() if not names or name in names}
    return "" if PHANTOMS else json.dumps([[name, file.volume, state_of(file.path)] for name, file in files.items()])


def options_of(files):
    """`--image MODALITY FILE VOLUME` for each modality that a subject has, and `--mask FILE VOLUME` for its mask."""
    words = []
    for name, file in files.items():
        words += ["--mask"] if name == MASK else ["--image", name]
        words += [file.path, str(file.volume)]
    return words


def get_series_options(wildcards, input):
    """The files of a subject as they were found. Since it has `input`, this is no reason to run a job again."""
    return options_of(series_of(wildcards))


def get_dicom_options(wildcards, input):
    """The series of a subject that are folders of DICOM slices. Since it has `input`, it is no reason to run again."""
    files = series_of(wildcards).items()
    folders = {name: file.path for name, file in files if name != MASK and os.path.isdir(file.path)}
    return paired("dicom", folders, folders.values())


def get_scan_options(wildcards, input):
    """The files of a subject that preprocess reads. Since it has `input`, this is no reason to run a job again."""
    words = options_of(subject_of(wildcards).files) + (["--tissues", input.tissues] if RANDOM_CONTRAST else [])
    return words + (["--registered", f"{input.registered}/register.json"] if REGISTERED else [])


def get_brain_state(wildcards):
    """The size and time of the user's mask of a subject's brain, or the content of the network that finds it."""
    if STRIPPED:
        return STRIPPER
    return json.dumps(
        [state_of(f"{BRAINS}/{wildcards.subject}.nii{ending}") for ending in ("", ".gz")] if BRAINS else []
    )


def get_labels(wildcards):
    """Label dialect of a subject's mask."""
    return subject_of(wildcards).labels


def get_forced(wildcards):
    """Whether a subject is included even if a check fails: if it is named, or a phantom that may be a healthy brain."""
    healthy = PHANTOMS and config["synthesize"]["kinds"] == "many"
    return str(bool(healthy) or wildcards.subject in config["include"])


def get_preprocessed(wildcards):
    """Preprocessed folders of all subjects that are neither left out by name nor skipped as failed."""
    left_out = {*config["exclude"], *failed_subjects(FAILURES, *PREPARING)}
    return [result(f"preprocess/{subject}") for subject in SUBJECTS if subject not in left_out]


def found_subjects():
    """A hash of the subjects and their files. As a param, it reruns `layouts` when subjects are added or removed."""
    return hashlib.sha256(json.dumps(SUBJECTS).encode()).hexdigest()[:16]


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
    """`--start FILE`, the model to go on from. Since it has `input`, this is not among the reasons to run a job again."""
    return options({"start": config["train"]["start"]})


def get_start_content():
    """The SHA-256 of the model to go on from, or nothing."""
    return sentence(content_of, START) if START else ""


def get_arrays(wildcards):
    """A subject's preprocessed folder, once split has written its content to cohort.tsv."""
    cohort()
    return result(f"preprocess/{wildcards.subject}")


def get_study():
    """How scans are preprocessed, and the label dialect of predictions outside of the workflow, as JSON."""
    labels = min(MASKED, default="brats2020")
    return json.dumps({"modalities": config["modalities"], "preprocess": config["preprocess"], "labels": labels})


def get_models(wildcards):
    """The models that were not trained on a subject."""
    names = sentence(models_for, cohort(), wildcards.subject, *MODELS)
    return GIVEN or [result(f"train/{name}/model.keras") for name in names]


def get_all_models(wildcards):
    """All models: those that the study trains, or the finished ones that it uses."""
    return GIVEN or [result(f"train/{name}/model.keras") for name in models(*MODELS)]


def get_settings(wildcards):
    """The settings of the models that the study trains."""
    return [] if GIVEN else [result(f"train/{name}/settings.json") for name in models(*MODELS)]


def get_baselines(wildcards):
    """The scores of the baselines, which learn from the training subjects; none with finished models."""
    return [] if GIVEN else [result("baseline/scores.tsv")]


def get_predictions(wildcards):
    """Label maps of all subjects with a model that was not trained on them."""
    return [result(f"predict/{name}.nii.gz") for name in without_failed(predicted_subjects(cohort()), *PREDICTING)]


def get_label_tables(wildcards):
    """Tables of the values in segmentations, with names and colors, for other viewers."""
    return [result(f"predict/{name}{ending}") for name in LABEL_TABLES for ending in (".txt", ".ctbl")]


def get_own_grids(wildcards):
    """With registered series, the segmentations of all predicted subjects on the grid of each of their series."""
    names = without_failed(predicted_subjects(cohort()), *PREDICTING, "own_grids") if REGISTERED else []
    return [result(f"own_grids/{name}") for name in names]


def insist_on_bids():
    """Stop the run if something needs the names of subjects in BIDS, and the study does not make them."""
    if not BIDS_NAMES:
        raise WorkflowError(f"{result('bids')} requires predict: layout: bids")


def bids_subjects():
    """The subjects in the data set of BIDS derivatives."""
    insist_on_bids()
    names = without_failed(predicted_subjects(cohort()), *PREDICTING)
    kept = set(without_failed(map(BIDS_NAMES.get, names), "bids_subject"))
    return [name for name in names if BIDS_NAMES[name] in kept]


def get_bids(wildcards):
    """With predict: layout: bids, the segmentations of all predicted subjects as a data set of BIDS derivatives."""
    names = [BIDS_NAMES[name] for name in bids_subjects()] if BIDS_NAMES else []
    files = [f"{place_of(name)}/anat/{name}_{BIDS_ENDINGS[0]}" for name in names]
    return [result(f"bids/{path}") for path in (*BIDS_FILES * bool(BIDS_NAMES), *files)]


def get_cohort_table(wildcards):
    """cohort.tsv, once split has written it."""
    cohort()
    return result("split/cohort.tsv")


def get_bids_subject(wildcards):
    """The subject with a name in BIDS."""
    insist_on_bids()
    if wildcards.name not in OF_BIDS or wildcards.place != place_of(wildcards.name):
        raise WorkflowError(f"{wildcards.place}/anat/{wildcards.name} is none of the {len(OF_BIDS)} subjects in BIDS")
    return OF_BIDS[wildcards.name]


def get_bids_images(wildcards):
    """The segmentation of a subject, and the probability maps of its regions."""
    subject = get_bids_subject(wildcards)
    maps = [result(f"predict/maps/{subject}/{name}.nii.gz") for name in PROBABILITIES]
    return {"prediction": result(f"predict/{subject}.nii.gz"), "probabilities": maps}


def get_own_labels(wildcards, input):
    """`--own-labels DIALECT` if the data sets have several label dialects."""
    return options({"own_labels": SUBJECTS[get_bids_subject(wildcards)].labels}) if len(DIALECTS) > 1 else []


def get_uncertainties(wildcards):
    """Uncertainties of the segmentations of all predicted subjects."""
    rules = PREDICTING if CALIBRATED else ["predict"]
    return [result(f"predict/{name}.json") for name in without_failed(predicted_subjects(cohort()), *rules)]


def get_measured(wildcards):
    """Volumes of the segmentations of all predicted subjects."""
    return [result(f"{MEASURED}/{name}.json") for name in without_failed(predicted_subjects(cohort()), *PREDICTING)]


def get_tuning_predictions(wildcards):
    """Label maps as the networks predicted them, of the subjects on which the thresholds of a fold are chosen."""
    names = without_failed(tuning_subjects(cohort(), wildcards.fold), "predict")
    return [result(f"{NETWORK_MAPS}/{name}.nii.gz") for name in names]


def get_tuning_maps(wildcards):
    """Probability maps of the regions of these subjects, if thresholds of regions or a temperature are chosen."""
    wanted = SEARCHED or CALIBRATED
    names = without_failed(tuning_subjects(cohort(), wildcards.fold), "predict") if wanted else []
    return [result(f"{NETWORK_FACTS}/maps/{name}/{region}.nii.gz") for name in names for region in EVERYWHERE]


def get_region_maps(wildcards):
    """Probability maps of the regions of a subject, if thresholds are chosen for regions."""
    folder = f"{NETWORK_FACTS}/maps/{wildcards.subject}"
    return [result(f"{folder}/{name}.nii.gz") for name in EVERYWHERE] if SEARCHED else []


def get_uncalibrated(wildcards):
    """The maps and the uncertainty of a subject as the networks predicted them, if a temperature is chosen."""
    names = [f"maps/{wildcards.subject}/{name}.nii.gz" for name in config["predict"]["maps"]]
    names.append(f"{wildcards.subject}.json")
    return [result(f"{NETWORK_FACTS}/{name}") for name in names] if CALIBRATED else []


def get_calibration_options(wildcards):
    """What postprocess reads and writes to calibrate a subject, if a temperature is chosen."""
    if not CALIBRATED:
        return []
    subject = wildcards.subject
    before = [result(f"{NETWORK_FACTS}/maps/{subject}"), result(f"{NETWORK_FACTS}/{subject}.json")]
    after = {"map_folder": result(f"predict/maps/{subject}"), "uncertainty": result(f"predict/{subject}.json")}
    return ["--uncalibrated", *before, *options(after)]


def get_tuned_volumes(wildcards):
    """The size thresholds for removing small tumor of a subject."""
    return result(f"tune_postprocess/{tuning_fold(cohort(), wildcards.subject)}.json")


def get_tuning_tables(wildcards):
    """Tables of all threshold searches: one per fold, and "all" for subjects in no fold."""
    folds = ["all", *models(MODELS[0], 1)] if TUNED else []
    return [result(f"tune_postprocess/{fold}_tried.tsv") for fold in folds]


def get_chosen(wildcards):
    """What was chosen for the subjects of each fold, and for those in no fold."""
    return [path.replace("_tried.tsv", ".json") for path in get_tuning_tables(wildcards)]


def get_probabilities(wildcards):
    """Configured probability maps of a subject's regions, from which the calibration is computed."""
    return [result(f"predict/maps/{wildcards.subject}/{name}.nii.gz") for name in PROBABILITIES]


def get_regions_before(wildcards):
    """The same maps before they were calibrated, if a temperature is chosen."""
    folder = f"{NETWORK_FACTS}/maps/{wildcards.subject}"
    return [result(f"{folder}/{name}.nii.gz") for name in PROBABILITIES] if CALIBRATED else []


def get_overlays(wildcards):
    """Configured uncertainty maps of a subject, which the viewer overlays."""
    shown = [name for name in config["predict"]["maps"] if name in ("entropy", "disagreement")]
    return [result(f"predict/maps/{wildcards.subject}/{name}.nii.gz") for name in shown]


def get_scores(wildcards):
    """Scores of all predicted subjects that have a mask."""
    return [result(f"evaluate/{name}.json") for name in without_failed(scored_subjects(cohort()), *SCORING)]


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


def get_subject_scores(wildcards):
    """The scores of a subject if it has a mask; otherwise nothing."""
    return [result(f"evaluate/{wildcards.subject}.json")] if MASK in subject_of(wildcards).files else []


def masked_subjects():
    """All included subjects with a mask."""
    return [row["subject"] for row in cohort() if row["fold"] and row["has_mask"] == "yes"]


def get_learned_and_scored(wildcards):
    """Preprocessed folders of all included subjects with a mask."""
    return [result(f"preprocess/{name}") for name in masked_subjects()]


def get_pictures(wildcards):
    """Folders of figures of all predicted subjects."""
    names = without_failed(predicted_subjects(cohort()), *SCORING, "plot_subject")
    return [result(f"plot/subjects/{name}") for name in names]


def get_volumes(wildcards):
    """JavaScript files with the scans of the subjects whose page has a viewer."""
    viewer, tables = config["report"]["viewer"], ([], [])
    # Only "gallery" depends on the scores; with the other values the viewers need not wait for them.
    if viewer == "gallery":
        summary = checkpoints.summarize.get().output
        tables = (read_table(summary.subjects), read_table(summary.uncertainty))
    names = without_failed(viewed(viewer, cohort(), *tables, config["report"]["gallery"]), *PREDICTING, "embed")
    return [result(f"report/volumes/{name}.js") for name in names]


def get_segmenter(wildcards):
    """With report: model, the page of the report that segments scans."""
    return [result("report/segment.html")] if config["report"]["model"] else []


def get_own_thresholds(wildcards):
    """The thresholds that the study chose for scans of no fold, if it chooses any."""
    return [result("tune_postprocess/all.json")] if TUNED else []


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


def get_figures(wildcards):
    """All figures of this study."""
    contents = Contents(config, [subject.patient for subject in SUBJECTS.values()], bool(MASKED))
    return [result(f"plot/{name}.png") for name, figure in FIGURES.items() if figure.wanted(contents)]


def get_templates(wildcards):
    """Templates of the report."""
    folder = Path(HOME, "scripts/glioseg/report/templates")
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file()]


def get_segmenter_templates(wildcards):
    """Templates and scripts of the page that segments scans."""
    folder = Path(HOME, "scripts/glioseg/report/templates")
    runtime = Path(HOME, "envs/npm/package.json")
    return list(map(str, [runtime, folder / "page.css", *sorted((folder / "segment").iterdir())]))
