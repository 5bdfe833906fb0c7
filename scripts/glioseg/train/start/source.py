"""The model that a training goes on from: its file, what it reads and predicts, and whose scans it has seen."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from glioseg.files import read_json
from glioseg.model_files import SETTINGS, ModelFile, content_of, models_of, outputs_of, read_settings
from glioseg.scan_facts import subjects_with
from glioseg.split.models import fold_of
from glioseg.workflow.home import shipped

# The layers after convolutions for `train: normalization: auto` without a model to go on from.
NORMALIZATION = "instance"
# The momentum for `train: average: auto` if nothing starts from random values. The 900 steps of config.yaml then keep
# two thirds of the model that they go on from; the mean of a model before and after fine-tuning forgets less (Wortsman
# et al. 2022, arXiv:2109.01903).
AVERAGE = 0.9995


class Study(NamedTuple):
    """What a model reads and predicts, and what it is.

    network and filters: its architecture; modalities: its input channels in order; targets and channels: the kind and
    the names of its outputs; preprocess: how its scans are prepared, the section of the configuration; normalization:
    its layers after convolutions.
    """

    network: str
    filters: tuple[int, ...]
    modalities: tuple[str, ...]
    targets: str
    channels: tuple[str, ...]
    preprocess: dict
    normalization: str


class Source(NamedTuple):
    """A model to go on from: its file and its SHA-256, its study, and the hashes of all scans that it learned from.

    hashes: subject -> modality -> hash of the voxels.
    """

    model: ModelFile
    content: str
    study: Study
    hashes: dict[str, dict[str, str]]


def start_models(path: str) -> list[ModelFile]:
    """Return the models at a path, one for each fold: a model.keras, a folder or a bundle; "shipped": of `make model`.

    Of models that learned from the same subjects with different seeds, the first. Raises ValueError if there is none.
    """
    try:
        found = models_of(shipped() if path == "shipped" else Path(path))
    except ValueError as error:
        raise ValueError(f"train: start: {error}") from None
    of_fold: dict[str, ModelFile] = {}
    for model in found:
        of_fold.setdefault(fold_of(model.parent.name), model)
    return list(of_fold.values())


def study_of(settings: Mapping, study: Mapping) -> Study:
    """The study of a model, from its settings and its study as settings.json has them (`TrainSettings`)."""
    targets, channels = outputs_of(settings)
    return Study(
        settings["network"],
        tuple(settings["filters"]),
        tuple(study["modalities"]),
        targets,
        channels,
        study["preprocess"],
        settings.get("normalization", NORMALIZATION),
    )


def read_source(model: ModelFile) -> Source:
    """Read a model to go on from and the settings.json next to it. Raises ValueError if they do not describe it."""
    facts = read_settings(model)
    try:
        study = study_of(facts["settings"], facts["study"])
        return Source(model, content_of(model), study, facts.get("hashes", {}))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{model.parent / SETTINGS}: expected the settings that train writes next to a model ({error!r}); start "
            "from another model"
        ) from error


def find_source(
    path: str, fold: str, held_out: Mapping[str, Mapping], say: Callable[[str], object] = print
) -> Source | None:
    """Return the model for a fold to go on from: the first at a path that learned from no scan held out from the fold.

    held_out: fold -> subject -> modality -> hash of the voxels, of all folds, so that the first training tells what a
    later one would be refused for. Returns None if the path is empty. Raises ValueError if a fold has no such model, or
    if one of several models has no hashes of what it learned from. Of a single model without, `say` prints that.
    """
    if not path:
        return None
    sources = [read_source(model) for model in start_models(path)]
    for source in sources:
        if not source.hashes:
            unknown = f"{source.model} has no hashes of its training subjects"
            if len(sources) > 1:
                raise ValueError(f"train: start: {unknown}, so no fold can choose among the models of {path}; give one")
            say(f"{unknown}, so it may have learned from held-out subjects")
    chosen, refused = {}, {}
    for name, subjects in held_out.items():
        seen = [_seen(source, subjects) for source in sources]
        chosen[name] = next((source for source, names in zip(sources, seen, strict=True) if not names), None)
        if not chosen[name]:
            refused |= min(seen, key=len)
    if refused:
        _refuse(path, sources, refused)
    return chosen[fold]


def _seen(source: Source, subjects: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Of these subjects (name -> modality -> hash), those that a model learned from -> their names there."""
    return {name: same[0] for name, hashes in subjects.items() if (same := subjects_with(source.hashes, hashes))}


def _refuse(path: str, sources: Sequence[Source], seen: Mapping[str, str]) -> NoReturn:
    said = [name if name == known else f"{name} (there {known})" for name, known in seen.items()]
    more = f" and {len(said) - 5} more" if len(said) > 5 else ""
    which = sources[0].model if len(sources) == 1 else f"each of the {len(sources)} models of {path}"
    raise ValueError(
        f"train: start: {which} learned from {', '.join(said[:5])}{more}, held out from a model of this study; leave "
        "out what it learned from (exclude), or start from a model that did not learn from it"
    )


def hashes_of(preprocess: Path, subjects: Sequence[str]) -> dict[str, dict[str, str]]:
    """Subject -> modality -> hash of the voxels, from the folder that `preprocess` wrote."""
    return {name: read_json(preprocess / name / "scan.json")["hashes"] for name in subjects}


def seen_hashes(source: Source | None) -> dict[str, dict[str, str]]:
    """The hashes of all subjects that a model learned from, for the settings.json of a model that goes on from it.

    "start/" before a name keeps it apart from a subject of the same name in another data set.
    """
    return {f"start/{name}": hashes for name, hashes in (source.hashes if source else {}).items()}


def settings_to_go_on(settings: dict, source: Source | None, study: Mapping) -> dict:
    """The settings of a training (`TrainSettings`), from the options of the command and the model to go on from.

    study: as settings.json has it. start becomes the content of the model, "" without one; start_learning_rate takes
    the place of learning_rate; the filters and the normalization, if they are auto, become those of the model, and the
    average follows from whether all of it is taken over. Raises ValueError for a frozen encoder without a model.
    """
    rate = settings["start_learning_rate"]
    rest = {name: value for name, value in settings.items() if name != "start_learning_rate"}
    if rest["normalization"] == "auto":
        rest["normalization"] = source.study.normalization if source else NORMALIZATION
    if source and rest["filters"] == ("auto",):
        rest["filters"] = source.study.filters
    if rest["average"] == "auto":
        whole = source and study_of(rest, study)._replace(preprocess=source.study.preprocess) == source.study
        rest["average"] = AVERAGE if whole else 0.0
    if source:
        return rest | {"start": source.content, "learning_rate": rate}
    if settings["freeze_encoder"]:
        raise ValueError("train: freeze_encoder: true requires train: start, a model whose encoder is kept")
    return rest | {"start": ""}
