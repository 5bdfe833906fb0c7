"""Choosing by name from a registry."""

from collections.abc import Collection, Mapping
from typing import Any


def choose(setting: str, name: object, known: Collection) -> Any:
    """The entry of a registry with this name: of a mapping its value, otherwise the name itself.

    Raises ValueError that names the setting and lists the known names.
    """
    if name not in known:
        raise ValueError(f"{setting}: {name!r} is not known; known are {', '.join(map(str, known))}")
    return known[name] if isinstance(known, Mapping) else name
