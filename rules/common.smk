import difflib
import hashlib
import json
import re
import sys
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from glioseg.cohort import (
    models,
    models_for,
    monitored_subjects,
    predicted_subjects,
    scored_subjects,
    training_subjects,
)
from glioseg.layouts import MASK, find_subjects
from glioseg.outputs import read_table


def check_config():
    """End the run with a sentence for each setting that the schema refuses. (snakemake.utils.validate prints it all.)"""
    schema = yaml.safe_load(Path(workflow.basedir, "rules", "config.schema.yaml").read_text())
    sentences = []
    for error in Draft202012Validator(schema).iter_errors(config):
        where = "".join(f"{step}: " for step in error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for name in sorted(set(error.instance) - set(known)):
                close = difflib.get_close_matches(str(name), known, 1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
                sentences.append(f"{where}{name} is no setting; {hint}")
        else:
            sentences.append(f"{where}{error.message}")
    if sentences:
        raise WorkflowError("\n".join(["The configuration can't be used.", *sentences]))


check_config()

RESULTS = config["results"]


wildcard_constraints:
    subject=r"[^/]+",
    fold=r"all|\d+",
    figure=r"\w+",


def sentence(function, *arguments):
    """Call a function of the library; its ValueError ends the run with its sentence alone."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise WorkflowError(str(error)) from None


def phantoms():
    """Subject -> files of the synthetic data set, which the rule synthesize will make."""
    names = [f"phantom_{number:03d}" for number in range(1, config["synthesize"]["subjects"] + 1)]
    parts = ["flair", "t1", "t1ce", "t2", MASK]
    return {name: {part: f"{RESULTS}/synthesize/{name}/{name}_{part}.nii.gz" for part in parts} for name in names}


# Found once per start, before the graph is built: a file that isn't there is no input of any job.
SUBJECTS = (
    phantoms()
    if config["data"] == "phantoms"
    else sentence(find_subjects, config["data"], config["layout"], config["modalities"])
)


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
    for names in re.findall(r"^ *from glioseg import (.+)", text, re.M):
        modules += names.split(", ")
    bare = re.sub(r'"""(?s:.*?)"""|^ *#.*$', "", text, flags=re.M)
    return [line.rstrip() for line in bare.splitlines() if line.strip()], modules


def options(section):
    """A section of config.yaml as options of the command of that name: a list repeats its option, nested ones are JSON."""
    words = []
    for key, value in config[section].items():
        nested = isinstance(value, list) and isinstance(value[0], list)
        for item in value if isinstance(value, list) and not nested else [value]:
            words += [f"--{key.replace('_', '-')}", json.dumps(item) if nested else str(item)]
    return words


def each(option, values):
    """`--option value` for each of the values."""
    return [word for value in values for word in (f"--{option}", str(value))]


def cohort():
    """Rows of cohort.tsv, once split has written it."""
    return read_table(checkpoints.split.get().output.cohort)


def get_scan(wildcards):
    """The files that a subject has: its configured modalities, and its mask."""
    if wildcards.subject not in SUBJECTS:
        raise WorkflowError(f"{wildcards.subject} is not among the {len(SUBJECTS)} subjects of {config['data']}")
    files = SUBJECTS[wildcards.subject]
    return {name: files[name] for name in [*config["modalities"], MASK] if name in files}


def get_scan_options(wildcards, input):
    """`--image MODALITY FILE` for each modality that a subject has, and `--mask FILE`."""
    files = get_scan(wildcards)
    images = [word for name in files if name != MASK for word in ("--image", name, files[name])]
    return images + (["--mask", files[MASK]] if MASK in files else [])


def get_preprocessed(wildcards):
    """Preprocessed folders of all subjects."""
    return [f"{RESULTS}/preprocess/{subject}" for subject in SUBJECTS]


def get_fold_subjects(wildcards):
    """Preprocessed folders of a model's training and monitored subjects."""
    names = training_subjects(cohort(), wildcards.fold)
    names += monitored_subjects(cohort(), wildcards.fold)[: config["train"]["monitor_subjects"]]
    return [f"{RESULTS}/preprocess/{name}" for name in names]


def get_models(wildcards):
    """The models that never saw a subject."""
    names = sentence(models_for, cohort(), wildcards.subject, config["split"]["folds"])
    return [f"{RESULTS}/train/{name}/model.keras" for name in names]


def get_all_models(wildcards):
    return [f"{RESULTS}/train/{name}/model.keras" for name in models(config["split"]["folds"])]


def get_settings(wildcards):
    return [f"{RESULTS}/train/{name}/settings.json" for name in models(config["split"]["folds"])]


def get_predictions(wildcards):
    """Label maps of all subjects that some model never saw."""
    return [f"{RESULTS}/predict/{name}.nii.gz" for name in predicted_subjects(cohort())]


def get_scores(wildcards):
    """Scores of all predicted subjects that have a mask."""
    return [f"{RESULTS}/evaluate/{name}.json" for name in scored_subjects(cohort())]


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
    return [f"{RESULTS}/preprocess/{row['subject']}" for row in cohort() if row["fold"] not in ("", "new")]


def get_pictures(wildcards):
    """Picture folders of all predicted subjects."""
    return [f"{RESULTS}/plot/subjects/{name}" for name in predicted_subjects(cohort())]


def get_figure_data(wildcards):
    """What a figure of the whole cohort is drawn from."""
    names = models(config["split"]["folds"])
    return {
        "cohort": [f"{RESULTS}/split/cohort.tsv"],
        "network": [f"{RESULTS}/train/{names[0]}/model.keras"],
        "curves": [f"{RESULTS}/train/{name}/history.csv" for name in names],
        "scores": [f"{RESULTS}/summarize/subjects.tsv"],
    }[wildcards.figure]


def get_figure_options(wildcards, input):
    """`--input FILE` for each of them; the cohort's volumes by tissue class stand in the folder of scans."""
    folder = [f"{RESULTS}/preprocess"] if wildcards.figure == "cohort" else []
    return each("input", [*input, *folder])


FIGURES = ["cohort", "network", "curves", "scores"]
