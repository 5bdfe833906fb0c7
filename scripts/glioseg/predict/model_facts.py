"""What stands beside a model in its settings.json: how it is to be used."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

from glioseg.labels import targets_of


class Study(TypedDict):
    """How the scans that a model takes are made: channels, dialect of the masks, and the section `preprocess`."""

    modalities: list[str]
    labels: str
    preprocess: dict


class Facts(NamedTuple):
    """What a network's channels mean (see `decide`), and how the scans it takes are made."""

    channels: tuple[str, ...]
    targets: str
    study: Study


def read_facts(models: Sequence[Path]) -> Facts:
    """The facts that all models (model.keras) share.

    Raises ValueError with a sentence where one has none beside it, or others than the first.
    """
    found = [_read_one(path) for path in models]
    for path, facts in zip(models, found, strict=True):
        if facts != found[0]:
            name = next(name for name in Facts._fields if getattr(facts, name) != getattr(found[0], name))
            raise ValueError(
                f"{path} and {models[0]} were trained with another {name} ({getattr(facts, name)}; "
                f"{getattr(found[0], name)}); average only models that were trained alike"
            )
    return found[0]


def _read_one(model: Path) -> Facts:
    path = model.with_name("settings.json")
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        settings = facts["settings"]
        # Networks that were trained before there were targets by name tell classes apart.
        targets = settings.get("targets", "classes")
        channels = targets_of(targets, settings["classes"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path}: expected what train writes beside a model ({error!r}); keep both together, or train it anew"
        ) from error
    return Facts(channels, targets, facts.get("study", {}))
