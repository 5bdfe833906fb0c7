"""Read how to use a model from the settings.json next to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

from glioseg.model_files import SETTINGS, ModelFile, outputs_of, read_settings
from glioseg.predict.keras_file import input_shape
from glioseg.scan_facts import subjects_with


class Study(TypedDict):
    """How to prepare scans for a model: modalities, label dialect, and the configuration section `preprocess`."""

    modalities: list[str]
    labels: str
    preprocess: dict


class Facts(NamedTuple):
    """The meaning of a network's output channels (see `decide`), and how to prepare scans for it."""

    channels: tuple[str, ...]
    targets: str
    study: Study


def read_facts(models: Sequence[ModelFile]) -> Facts:
    """Return the facts that all models (model.keras) share.

    Raises ValueError if a model has no readable settings.json next to it, or facts that differ from the first model's.
    """
    found = [_read_one(path) for path in models]
    for path, facts in zip(models, found, strict=True):
        if facts != found[0]:
            name = next(name for name in Facts._fields if getattr(facts, name) != getattr(found[0], name))
            raise ValueError(
                f"{path} and {models[0]} were trained with different {name} ({getattr(facts, name)}; "
                f"{getattr(found[0], name)}); average only models trained with the same settings"
            )
    insist_on_one_shape(models)
    return found[0]


def insist_on_one_shape(models: Sequence[ModelFile]) -> None:
    """Raise ValueError, before any model is run, if the patch or the channels of a model differ from the first's."""
    shapes = [input_shape(path) for path in models] if len(models) > 1 else []
    for path, shape in zip(models, shapes, strict=False):
        if shape != shapes[0]:
            (*patch, channels), (*first, channels_of_first) = shape or [None], shapes[0] or [None]
            raise ValueError(
                f"{path} takes {channels} modalities in patches of {_sides(patch)} voxels, and {models[0]} "
                f"{channels_of_first} in patches of {_sides(first)}; average only models with the same modalities and "
                "patch: leave one out, or train with the same train: patch"
            )


def learned_from(models: Sequence[ModelFile], hashes: Mapping[str, str]) -> dict[ModelFile, str]:
    """Return model -> the subject in its training set whose voxels are those of a scan, for models that have one.

    hashes: of the voxels of the scan, by modality (`scan.json`); one shared modality is enough. Models of older
    versions record no hashes, so nothing is known of them.
    """
    found = {path: subjects_with(read_settings(path).get("hashes", {}), hashes) for path in models}
    return {path: names[0] for path, names in found.items() if names}


def trained_voxels(models: Sequence[ModelFile]) -> dict[str, tuple[ModelFile, str]]:
    """Return hash -> the first model that learned from these voxels, and the subject in its training set."""
    known: dict[str, tuple[ModelFile, str]] = {}
    for path in models:
        for name, hashes in read_settings(path).get("hashes", {}).items():
            for digest in hashes.values():
                known.setdefault(digest, (path, name))
    return known


def insist_on_unseen(models: Sequence[ModelFile], subject: str, hashes: Mapping[str, str]) -> None:
    """Raise ValueError if a model, or the one that it went on from, learned from the scan of a subject.

    hashes: of the voxels of the scan, by modality.
    """
    for path, trained in learned_from(models, hashes).items():
        raise ValueError(
            f"{path} learned from {subject}, as its training subject {trained}; its scores would be biased: exclude "
            f"{subject}, or train a model that does not learn from it"
        )


def _sides(patch: Sequence[int | None]) -> str:
    return "x".join(map(str, patch)) or "unknown"


def _read_one(model: ModelFile) -> Facts:
    facts = read_settings(model)
    try:
        targets, channels = outputs_of(facts["settings"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{model.parent / SETTINGS}: its settings cannot be used ({error!r}); train the model again"
        ) from error
    return Facts(channels, targets, facts.get("study", {}))
