"""The model card of a bundle, as Markdown: what the models are for, what they learned from, and how they score.

Its sections follow Mitchell et al. 2019, "Model Cards for Model Reporting" (doi:10.1145/3287560.3287596).
"""

from collections.abc import Mapping, Sequence

from glioseg.evaluate.metrics import METRICS
from glioseg.evaluate.score_table import NETWORK, TABLE_ORDER
from glioseg.export.onnx import INPUT, ONNX, OUTPUT
from glioseg.model_files import CHOSEN, MODEL, TEMPERATURE, outputs_of
from glioseg.split.cohort import counted, patients_in

# Before the names of subjects that an earlier model learned from, which the models went on from.
START = "start/"
AUTHOR = "*To be filled in by the author.*"
SHOWN = ("dice", "hd95_mm")


def model_card(
    trainings: Sequence[Mapping],
    cohort: Sequence[Mapping[str, str]],
    scores: Sequence[Mapping[str, str]],
    thresholds: Mapping[str, float],
    license_name: str,
    no_onnx: str,
) -> str:
    """The text of a model card.

    trainings: settings.json of each model; cohort, scores: rows of cohort.tsv and scores.tsv of their study, which may
    be empty; thresholds: those that the study chose, if it did; no_onnx: why the bundle has no ONNX, "" if it has one.
    """
    first = trainings[0]
    study, settings = first["study"], first["settings"]
    parts = [
        "# Models for brain tumor segmentation",
        f"License: {license_name or AUTHOR}",
        "## Intended use",
        "Research on brain tumors in MRI: segmentation of the tissues of a tumor. Not a medical device; not for "
        f"diagnosis or treatment. Authors, contact and reference: {AUTHOR}",
        "## Models",
        _bullets(
            f"{len(trainings)} {settings['network']} {'models' if len(trainings) > 1 else 'model'} of "
            f"{first['parameters']:,} parameters each; their outputs are averaged",
            f"Input: {', '.join(study['modalities'])}, in this order",
            f"Preparation: {_words(study['preprocess'])}",
            f"Output: {', '.join(settings['classes'])}; written as {study['labels']} where the layout of a scan does "
            "not tell its label dialect",
            *(f"{_named(name)}: {thresholds[name]:g}" for name in CHOSEN if name in thresholds),
            _onnx(study["modalities"], outputs_of(settings)[1], no_onnx),
            f"Trained with {_seeds(trainings)}: {_words(first.get('versions', {}))}",
        ),
        "## Training data",
        _data(cohort, trainings),
        *_ancestors(trainings),
        *_origin(trainings),
        "## Scores",
        *_scores(cohort, scores),
        "## Limits",
        _bullets(
            "Scans must be skull-stripped, and all modalities of a patient must be on one grid",
            "Scans of hospitals, scanners and diseases that the training data lacks may be segmented much worse",
            "Children, patients after surgery, and scans without a tumor: only as far as the training data has them",
            "The scores are means; single segmentations can fail, and every one needs to be looked at",
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _onnx(modalities: Sequence[str], outputs: Sequence[str], missing: str) -> str:
    if missing:
        return f"ONNX: none, because {missing}. glioseg itself runs the models"
    return (
        f"ONNX: {ONNX} next to each {MODEL}, the same network in float32. Its input {INPUT} is (batch, "
        f"{len(modalities)}, X, Y, Z), with a channel for each modality; its output {OUTPUT} is (batch, "
        f"{len(outputs)}, X, Y, Z), with a channel for each of {', '.join(outputs)}. X, Y and Z run to the left, to "
        "the back and to the top of the head"
    )


def _data(cohort: Sequence[Mapping[str, str]], trainings: Sequence[Mapping]) -> str:
    learned = {name for training in trainings for name in training["subjects"]}
    rows = [row for row in cohort if row["subject"] in learned]
    if _of_phantoms(trainings):
        return (
            f"{len(learned)} synthetic patients (phantoms of `glioseg`), whose contrast was drawn anew for each "
            "training patch. No scan of a patient is among them."
        )
    if len(rows) < len(learned):
        return f"{len(learned)} subject{'s' * (len(learned) != 1)}."
    dialects = ", ".join(sorted({row["labels"] for row in rows}))
    return f"{counted(rows)}, with masks in the label dialect {dialects}; {patients_in(cohort)} patients were found."


def _seeds(trainings: Sequence[Mapping]) -> str:
    seeds = sorted({training["settings"]["seed"] for training in trainings})
    return f"seed{'s' * (len(seeds) > 1)} {' and '.join(map(str, seeds))}"


def _of_phantoms(trainings: Sequence[Mapping]) -> bool:
    """Whether contrasts were drawn, for which only phantoms have the tissue maps."""
    return all(training["settings"].get("contrast") == "random" for training in trainings)


def _origin(trainings: Sequence[Mapping]) -> list[str]:
    if _of_phantoms(trainings):
        return []
    return [f"Where the scans are from, scanners, age and sex of the patients, ethics approval: {AUTHOR}"]


def _ancestors(trainings: Sequence[Mapping]) -> list[str]:
    """What the models went on from, if they did."""
    models = {training["settings"].get("start") for training in trainings} - {"", None}
    known = {name for training in trainings for name in training.get("hashes", {}) if name.startswith(START)}
    if not models:
        return []
    return [
        f"The training went on from {'another model' if len(models) == 1 else f'{len(models)} other models'} (SHA-256 "
        f"{', '.join(sorted(models))}), which learned from {len(known) or 'an unknown number of'} other subjects. Its "
        "license and the terms of its data apply, too."
    ]


def _scores(cohort: Sequence[Mapping[str, str]], scores: Sequence[Mapping[str, str]]) -> list[str]:
    found = {(row["metric"], row["region"]): row for row in scores if row["method"] == NETWORK}
    regions = [name for name in TABLE_ORDER if ("dice", name) in found]
    if not regions:
        return ["The study has no scores."]
    count = found["dice", regions[0]]
    folds = {row["fold"] for row in cohort if row["fold"].isdecimal()}
    how = f"in cross-validation with {len(folds)} folds" if folds else "on subjects held out from training"
    lines = [f"| | {' | '.join(regions)} |", f"|---|{'---|' * len(regions)}"]
    for metric in SHOWN:
        cells = [_cell(found[metric, name], METRICS[metric].digits) for name in regions if (metric, name) in found]
        lines.append(f"| {METRICS[metric].words} | {' | '.join(cells)} |")
    words = f"Mean over {count['n']} subjects of {count['patients']} patients [95 % bootstrap interval], {how}."
    return [words, "\n".join(lines)]


def _cell(row: Mapping[str, str], digits: int) -> str:
    mean, low, high = (f"{float(row[name]):.{digits}f}" if row[name] else "" for name in ("mean", "ci_low", "ci_high"))
    return f"{mean} [{low}, {high}]" if low else mean


def _named(name: str) -> str:
    if name == TEMPERATURE:
        return "Temperature of the probabilities of WT, TC and ET, which changes no segmentation"
    return f"Threshold {name}"


def _words(settings: Mapping) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _bullets(*lines: str) -> str:
    return "\n".join(f"- {line}." for line in lines)
