import difflib
import hashlib
import json
import re
import sys
from functools import cache, reduce
from operator import getitem
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from glioseg.cohort import (
    COLUMNS,
    fold_of,
    models,
    models_for,
    monitored_subjects,
    postprocess_fold,
    predicted_subjects,
    scored_subjects,
    seed_of,
    searched_subjects,
    training_subjects,
)
from glioseg.failures import PER_SUBJECT, PREDICTING, SCORING, describe, failed_jobs, lost, read_failures, record
from glioseg.labels import MASK, REGIONS, classes_of
from glioseg.layouts import find_subjects, phantom_subjects
from glioseg.memory import TUNABLES
from glioseg.outputs import read_table


def numbers_in(value):
    """What JSON makes of a text, or of each text of a list; the same where it is none."""
    if isinstance(value, list):
        return [numbers_in(item) for item in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def check_config():
    """End the run with a sentence for each setting that the schema refuses. (snakemake.utils.validate prints it all.)"""
    # The C loader, where there is one, for every job of a cluster reads this.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    schema = yaml.load(Path(workflow.basedir, "rules", "config.schema.yaml").read_text(), loader)
    validator = Draft202012Validator(schema)
    errors = list(validator.iter_errors(config))
    # Snakemake leaves numbers within --config train={epochs: 3} as text; where text is refused they become numbers.
    for error in errors:
        if error.validator in ("type", "anyOf") and error.absolute_path:
            *sections, name = error.absolute_path
            reduce(getitem, sections, config)[name] = numbers_in(error.instance)
    sentences = []
    # What is left; a configuration without errors isn't looked through again.
    for error in errors and validator.iter_errors(config):
        where = "".join(f"{step}: " for step in error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for name in sorted(set(error.instance) - set(known)):
                close = difflib.get_close_matches(str(name), known, 1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                sentences.append(f"{where}{name} is no setting; {hint}")
        elif error.validator == "anyOf":
            words = [case.validator_value for case in error.context if case.validator == "const"]
            said = best_match(case for case in error.context if case.validator != "const").message
            sentences.append(f"{where}{said}" + (f"; or take {' or '.join(words)}" if words else ""))
        else:
            sentences.append(f"{where}{error.message}")
    if not sentences and config["preprocess"]["missing"] == "zeros" and not config["train"]["modality_dropout"]:
        sentences = ["preprocess: missing: zeros asks for train: modality_dropout above 0, for the network to learn it"]
    if sentences:
        raise WorkflowError("\n".join(["The configuration can't be used.", *sentences]))


check_config()

RESULTS = config["results"]
# What train and predict run on with --use-conda.
TENSORFLOW = f"../envs/{config['environment']}.yaml"
# Where subjects are held out by folds, the volumes below which tumor is dropped are searched on them; each segmentation is
# then finished by a job of its own, after that of the network.
SEARCHED = config["split"]["folds"] > 1 and any(config["postprocess"].values())
SMALLEST = ("smallest_enhancing_ml", "smallest_component_ml")
# Regions whose probabilities are written.
PROBABILITIES = [name for name in config["predict"]["maps"] if name in REGIONS]
NETWORK_MAPS = f"{RESULTS}/predict/raw" if SEARCHED else f"{RESULTS}/predict"
# Jobs that failed, as the Snakefile's onerror writes them.
LEDGER = f"{RESULTS}/summarize/failures.tsv"
# The same, where a run is to go on without whom they name.
LEDGERS = [LEDGER] if config["survivors"] else []
FAILURES = read_failures(list(map(Path, LEDGERS)))


wildcard_constraints:
    subject=r"[^/]+",
    model=r"(all|\d+)(_\d+)?",
    fold=r"all|\d+",
    figure=r"\w+",


def sentence(function, *arguments):
    """Call a function of the library; its ValueError ends the run with its sentence alone."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def sources():
    """Where subjects come from: for each a dictionary of folder, layout, labels, prefix."""
    data = config["data"] if isinstance(config["data"], list) else [config["data"]]
    common = {"layout": config["layout"], "labels": config["labels"], "prefix": ""}
    return [common | (source if isinstance(source, dict) else {"folder": source}) for source in data]


def check_names():
    """End the run with a sentence for a subject that is to be taken or left out by name, and isn't there."""
    for setting in ("include", "exclude"):
        for name in config[setting]:
            if name not in SUBJECTS:
                raise WorkflowError(f"{setting}: {name} is not among the {len(SUBJECTS)} subjects of {config['data']}")


# Found once per start, before the graph is built: a file that isn't there is no input of any job.
PHANTOMS = (f"{RESULTS}/synthesize", config["synthesize"]["subjects"]) if config["data"] == "phantoms" else ()
SUBJECTS = (
    phantom_subjects(*PHANTOMS, config["modalities"])
    if PHANTOMS
    else sentence(find_subjects, sources(), config["modalities"])
)
check_names()
# How many models there are: folds, and seeds of each.
MODELS = (config["split"]["folds"], config["seeds"])
# What the network tells apart: the tissue classes that the data sets' masks have.
CLASSES = classes_of({subject.labels for subject in SUBJECTS.values() if MASK in subject.files})


def code(command):
    """A hash of what a command and the library modules behind it do: a param, so that a change of either reruns its jobs.

    Comment lines, docstrings and blank lines don't count: to reword one must not retrain a model.
    """
    found, queue = {}, [f"scripts/{command}.py"]
    while queue:
        name = queue.pop()
        if name not in found:
            found[name], modules = parsed(name)
            queue += [f"scripts/glioseg/{module}.py" for module in modules]
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


@cache
def parsed(name):
    """A file's lines without docstrings, comment lines and blank lines, and the library modules that it imports."""
    text = Path(workflow.basedir, name).read_text()
    modules = re.findall(r"^ *from glioseg\.(\w+) import", text, re.M)
    for names in re.findall(r"^ *from glioseg import ([^\n(]+|\([^)]+)", text, re.M):
        modules += re.findall(r"\w+", names)
    bare = re.sub(r'"""(?s:.*?)"""|^ *#.*$', "", text, flags=re.M)
    return [line.rstrip() for line in bare.splitlines() if line.strip()], modules


def options(section, changed=None):
    """A section of config.yaml as options of the command of that name: a list repeats its option, nested ones are JSON.

    changed: settings of it by name that have another value.
    """
    words = []
    for key, value in (config[section] | (changed or {})).items():
        nested = isinstance(value, list) and any(isinstance(item, list) for item in value)
        for item in value if isinstance(value, list) and not nested else [value]:
            words += [f"--{key.replace('_', '-')}", json.dumps(item) if nested else str(item)]
    return words


def each(option, values):
    """`--option value` for each of the values."""
    return [word for value in values for word in (f"--{option}", str(value))]


def paired(option, names, values):
    """`--option name value` for each of both."""
    return [word for pair in zip(names, values, strict=True) for word in (f"--{option}", *pair)]


def cohort():
    """Rows of cohort.tsv, once split has written it."""
    return sentence(read_table, checkpoints.split.get().output.cohort, COLUMNS)


def standing(names, *rules):
    """Those of the subjects of whom no job of these rules failed, where the run is to go on without the others."""
    left_out = lost(FAILURES, *rules)
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
    left_out = {*config["exclude"], *lost(FAILURES, "synthesize", "preprocess")}
    return [f"{RESULTS}/preprocess/{subject}" for subject in SUBJECTS if subject not in left_out]


def found_subjects():
    """A hash of the subjects and their files: a param, so that what came or went is noticed."""
    return hashlib.sha256(json.dumps(SUBJECTS).encode()).hexdigest()[:16]


def get_fold_subjects(wildcards):
    """Preprocessed folders of a model's training and monitored subjects."""
    names = training_subjects(cohort(), wildcards.model)
    names += monitored_subjects(cohort(), wildcards.model)[: config["train"]["monitor_subjects"]]
    return [f"{RESULTS}/preprocess/{name}" for name in names]


def get_study():
    """How a scan becomes what the network reads, and what the values of its masks mean, as JSON."""
    dialects = {subject.labels for subject in SUBJECTS.values() if MASK in subject.files}
    # The values that a prediction outside of the workflow is written in, unless others are asked for.
    labels = min(dialects, default="brats2020")
    return json.dumps({"modalities": config["modalities"], "preprocess": config["preprocess"], "labels": labels})


def get_models(wildcards):
    """The models that never saw a subject."""
    names = sentence(models_for, cohort(), wildcards.subject, *MODELS)
    return [f"{RESULTS}/train/{name}/model.keras" for name in names]


def get_all_models(wildcards):
    return [f"{RESULTS}/train/{name}/model.keras" for name in models(*MODELS)]


def get_settings(wildcards):
    return [f"{RESULTS}/train/{name}/settings.json" for name in models(*MODELS)]


def get_predictions(wildcards):
    """Label maps of all subjects that some model never saw."""
    return [f"{RESULTS}/predict/{name}.nii.gz" for name in standing(predicted_subjects(cohort()), *PREDICTING)]


def get_certainties(wildcards):
    """How sure the segmentations of all predicted subjects are."""
    return [f"{RESULTS}/predict/{name}.json" for name in standing(predicted_subjects(cohort()), "predict")]


def get_searched(wildcards):
    """Label maps as the networks left them, of the subjects that volumes are searched on for those of a fold."""
    names = standing(searched_subjects(cohort(), wildcards.fold), "predict")
    return [f"{NETWORK_MAPS}/{name}.nii.gz" for name in names]


def get_volumes_searched(wildcards):
    """The volumes below which tumor of a subject is dropped."""
    return f"{RESULTS}/postprocess/{postprocess_fold(cohort(), wildcards.subject)}.json"


def get_searches(wildcards):
    """Tables of all searches that there are: for the subjects of each fold, and for those in none."""
    folds = ["all", *models(config["split"]["folds"], 1)] if SEARCHED else []
    return [f"{RESULTS}/postprocess/{fold}.tsv" for fold in folds]


def get_probabilities(wildcards):
    """Maps of the regions' probabilities, where they are asked for: calibration is told from them."""
    return [f"{RESULTS}/predict/maps/{wildcards.subject}/{name}.nii.gz" for name in PROBABILITIES]


def get_overlays(wildcards):
    """Maps of uncertainty that the viewer overlays, where they are asked for."""
    shown = [name for name in config["predict"]["maps"] if name in ("entropy", "disagreement")]
    return [f"{RESULTS}/predict/maps/{wildcards.subject}/{name}.nii.gz" for name in shown]


def get_scores(wildcards):
    """Scores of all predicted subjects that have a mask."""
    return [f"{RESULTS}/evaluate/{name}.json" for name in standing(scored_subjects(cohort()), *SCORING)]


def get_truth(wildcards):
    """The expert's mask of a subject."""
    files = get_scan(wildcards)
    if MASK not in files:
        raise WorkflowError(f"{wildcards.subject} has no mask, so its prediction can't be scored")
    return files[MASK]


def get_subject_scores(wildcards):
    """The scores of a subject, where it has a mask."""
    return [f"{RESULTS}/evaluate/{wildcards.subject}.json"] if MASK in get_scan(wildcards) else []


def get_learned_and_scored(wildcards):
    """Preprocessed folders of all subjects that have a mask and take part."""
    return [f"{RESULTS}/preprocess/{row['subject']}" for row in cohort() if row["fold"] and row["has_mask"] == "yes"]


def get_pictures(wildcards):
    """Picture folders of all predicted subjects."""
    names = standing(predicted_subjects(cohort()), *SCORING, "plot_subject")
    return [f"{RESULTS}/plot/subjects/{name}" for name in names]


def get_volumes(wildcards):
    """Scripts with the scans of the subjects whose page has a viewer."""
    viewer, tables = config["report"]["viewer"], ([], [])
    # Only where it matters who is pictured, which the scores tell: the scans needn't wait for them otherwise.
    if viewer == "gallery":
        summary = checkpoints.summarize.get().output
        tables = (read_table(summary.subjects), read_table(summary.uncertainty))
    # Imported here: it loads SciPy, and every job of a cluster reads this file.
    from glioseg.page_tables import viewed

    names = standing(viewed(viewer, cohort(), *tables, config["report"]["gallery"]), *PREDICTING, "embed")
    return [f"{RESULTS}/report/volumes/{name}.js" for name in names]


def get_figure_data(wildcards):
    """What a figure of the whole cohort is drawn from."""
    names = models(*MODELS)
    return {
        "cohort": [f"{RESULTS}/split/cohort.tsv"],
        "network": [f"{RESULTS}/train/{names[0]}/model.keras"],
        "curves": [f"{RESULTS}/train/{name}/history.csv" for name in names],
        "scores": [f"{RESULTS}/summarize/subjects.tsv"],
        "agreement": [f"{RESULTS}/summarize/subjects.tsv"],
        "calibration": [f"{RESULTS}/summarize/calibration.tsv"],
        "uncertainty": [f"{RESULTS}/summarize/uncertainty.tsv"],
    }[wildcards.figure]


def get_figure_options(wildcards, input):
    """`--input FILE` for each of them; the cohort's volumes by tissue class stand in the folder of scans."""
    folder = [f"{RESULTS}/preprocess"] if wildcards.figure == "cohort" else []
    return each("input", [*input, *folder])


# What the report's pages are made of.
TEMPLATES = ["report.html.j2", "subject.html.j2", "strips.html.j2", "page.css", "page.js", "viewer.js"]
FIGURES = [
    "cohort",
    "network",
    "curves",
    "scores",
    "agreement",
    "uncertainty",
    *(["calibration"] if PROBABILITIES else []),
]
