"""The model that a training goes on from: its file, what it reads and predicts, and whose scans it has seen."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from glioseg.files import read_json
from glioseg.model_files import SETTINGS, ModelFile, content_of, models_of, outputs_of, read_settings
from glioseg.scan_facts import subjects_with
from glioseg.split.models import fold_of
from glioseg.workflow.home import shipped

# The layers after convolutions for `train: normalization: auto` without a model to go on from.
NORMALIZATION = "instance"


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


def start_model(path: str) -> ModelFile:
    """Return the model at a path: a model.keras, or that of a folder or a bundle; "shipped": of `make model`.

    Of models that learned from the same subjects with different seeds, the first. Raises ValueError if there is none,
    or if there are models of several folds.
    """
    try:
        found = models_of(shipped() if path == "shipped" else Path(path))
    except ValueError as error:
        raise ValueError(f"train: start: {error}") from None
    if len({fold_of(model.parent.name) for model in found}) > 1:
        names = ", ".join(map(str, found))
        raise ValueError(f"train: start: expected models of one fold in {path}, found {names}; give one of them")
    return found[0]


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


def find_source(path: str, held_out: Callable[[], Mapping], say: Callable[[str], object] = print) -> Source | None:
    """Return the model at a path (`start_model`) to go on from, or None if the path is empty.

    held_out: returns subject -> modality -> hash of the voxels. Raises ValueError if the model learned from the scan of
    a held-out subject. If the model's settings.json has no hashes, `say` prints that nothing is known.
    """
    if not path:
        return None
    source = read_source(start_model(path))
    if not source.hashes:
        say(f"{source.model} has no hashes of its training subjects, so it may have learned from held-out subjects")
    seen = {name: same[0] for name, hashes in held_out().items() if (same := subjects_with(source.hashes, hashes))}
    if seen:
        said = [name if name == known else f"{name} (there {known})" for name, known in seen.items()]
        more = f" and {len(said) - 5} more" if len(said) > 5 else ""
        raise ValueError(
            f"train: start: {source.model} learned from {', '.join(said[:5])}{more}, held out from a model of this "
            "study; leave out what it learned from (exclude), or start from a model that did not learn from it"
        )
    return source


def hashes_of(preprocess: Path, subjects: Sequence[str]) -> dict[str, dict[str, str]]:
    """Subject -> modality -> hash of the voxels, from the folder that `preprocess` wrote."""
    return {name: read_json(preprocess / name / "scan.json")["hashes"] for name in subjects}


def seen_hashes(source: Source | None) -> dict[str, dict[str, str]]:
    """The hashes of all subjects that a model learned from, for the settings.json of a model that goes on from it.

    "start/" before a name keeps it apart from a subject of the same name in another data set.
    """
    return {f"start/{name}": hashes for name, hashes in (source.hashes if source else {}).items()}


def settings_to_go_on(settings: dict, source: Source | None) -> dict:
    """The settings of a training (`TrainSettings`), from the options of the command and the model to go on from.

    start becomes the content of the model, "" without one; start_learning_rate takes the place of learning_rate; the
    filters and the normalization, if they are auto, become those of the model. Raises ValueError for a frozen encoder
    without a model.
    """
    rate = settings["start_learning_rate"]
    rest = {name: value for name, value in settings.items() if name != "start_learning_rate"}
    if rest["normalization"] == "auto":
        rest["normalization"] = source.study.normalization if source else NORMALIZATION
    if not source:
        if settings["freeze_encoder"]:
            raise ValueError("train: freeze_encoder: true requires train: start, a model whose encoder is kept")
        return rest | {"start": ""}
    filters = source.study.filters if rest["filters"] == ("auto",) else rest["filters"]
    return rest | {"start": source.content, "learning_rate": rate, "filters": filters}
