"""Read how to use a model from the settings.json next to it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from glioseg.labels import targets_of


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


def read_facts(models: Sequence[Path]) -> Facts:
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
    return found[0]


def _read_one(model: Path) -> Facts:
    path = model.with_name("settings.json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        settings = facts["settings"]
        # Models trained before `targets` existed predict classes.
        targets = settings.get("targets", "classes")
        channels = targets_of(targets, settings["classes"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: expected the settings that train writes next to a model ({error!r}); "
            "keep both files together, or train the model again"
        ) from error
    return Facts(channels, targets, facts.get("study", {}))
