"""Write a bundle: the models of a study in one zip archive, with what is needed to use them, and no patient's name.

Its folders are those of a results folder, so that `model_files` reads both.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from glioseg.export.card import START
from glioseg.export.half import TIME, halved
from glioseg.export.onnx import ONNX
from glioseg.files import whole
from glioseg.model_files import FORMAT, MODEL, SETTINGS, TUNED, ModelFile, models_of, read_settings, size_thresholds
from glioseg.split.models import fold_of

# What settings.json says of a training. Everything else, such as the names of its subjects, stays out of a bundle.
KEPT = ("fold", "settings", "versions", "parameters", "validation_dice", "study", "threads", "start")


def bundle_files(results: Path, card: str, networks: Sequence[bytes], half: bool = False) -> dict[str, bytes]:
    """Return name -> content of the files of a bundle: models, settings, size thresholds, scores, card and checksums.

    results: the results folder of a finished study; card: the text of README.md; networks: of the models, as ONNX, or
    none; half: whether the weights are written in half precision. Raises ValueError if the folder has no models or a
    file in it cannot be read.
    """
    models = models_of(results)
    trainings = [read_settings(model) for model in models]
    number_of = _numbers(trainings)
    files = {"README.md": card.encode()}
    for model, training in zip(models, trainings, strict=True):
        folder = f"train/{model.parent.name}"
        files[f"{folder}/{MODEL}"] = halved(model.read_bytes()) if half else model.read_bytes()
        files[f"{folder}/{SETTINGS}"] = _json(without_names(training, number_of))
    for model, network in zip(models if networks else [], networks, strict=True):
        files[f"train/{model.parent.name}/{ONNX}"] = network
    chosen = size_thresholds(models)
    if chosen:
        files["/".join(TUNED)] = _json(chosen)
    scores = results / "summarize/scores.tsv"
    if scores.exists():
        files["summarize/scores.tsv"] = scores.read_bytes()
    files["glioseg.json"] = _json({"format": FORMAT, "versions": trainings[0].get("versions", {})})
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return files | {"SHA256SUMS": "".join(sums).encode()}


def insist_on_all_models(cohort: Sequence[Mapping[str, str]], models: Sequence[ModelFile]) -> None:
    """Raise ValueError if a fold of a study has no model yet. cohort: rows of cohort.tsv; none if it is not there."""
    folds = sorted({row["fold"] for row in cohort if row["fold"].isdecimal()}, key=int)
    trained = {fold_of(model.parent.name) for model in models}
    missing = [fold for fold in folds if fold not in trained]
    if missing:
        raise ValueError(
            f"{models[0].parent.parent}: expected a model of each of {len(folds)} folds, found none of fold "
            f"{', '.join(missing)}; finish the study, or export a single model's folder"
        )


def without_names(training: Mapping, number_of: Mapping[str, str]) -> dict:
    """A training's settings.json with numbers instead of the names of subjects; the hashes of their voxels stay."""
    named = {key: training[key] for key in KEPT if key in training}
    subjects = {key: [number_of[name] for name in training.get(key, [])] for key in ("subjects", "validation_subjects")}
    return named | subjects | {"hashes": {number_of[name]: known for name, known in training.get("hashes", {}).items()}}


def write_bundle(files: Mapping[str, bytes], output: Path) -> None:
    """Write files into a zip archive, sorted by name and without times, so that the same files give the same bytes.

    Nothing is compressed, because models hardly become smaller, and they are read where they lie.
    """
    with whole(output) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def _numbers(trainings: Sequence[Mapping]) -> dict[str, str]:
    """Name of a subject -> its number, counted over all trainings; "start/" stays before those of an earlier model."""
    keys = ("subjects", "validation_subjects", "hashes")
    names = sorted({name for training in trainings for key in keys for name in training.get(key, ())})
    return {name: f"{START * name.startswith(START)}{number}" for number, name in enumerate(names, start=1)}


def _json(content: Mapping) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
