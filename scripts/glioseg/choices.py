"""Choosing an entry of a registry by name."""

from collections.abc import Collection, Mapping
from typing import Any


def choose(setting: str, name: object, known: Collection) -> Any:
    """The value under this name if the registry is a mapping, otherwise the name itself.

    Raises ValueError if the name is not in the registry; the message names the setting and lists the known names.
    """
    if name not in known:
        raise ValueError(f"{setting}: {name!r} is not known; expected one of {', '.join(map(str, known))}")
    return known[name] if isinstance(known, Mapping) else name
