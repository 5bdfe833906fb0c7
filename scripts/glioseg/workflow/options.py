"""Converting settings and files to command-line arguments."""

import json
import re
from collections.abc import Iterable, Mapping

# Snakemake reads text in such brackets as the name of a variable, wherever it is in the path of a file.
BRACKETS = re.compile(r"[{}<>]")


def options(section: Mapping) -> list[str]:
    """The settings of a section of the configuration, as options of the command with the same name.

    For a list, the option is repeated; a list of lists is one value in JSON; an empty text is `--option=`.
    """
    words = []
    for key, value in section.items():
        nested = isinstance(value, list) and any(isinstance(item, list) for item in value)
        for item in value if isinstance(value, list) and not nested else [value]:
            option = f"--{key.replace('_', '-')}"
            # Snakemake leaves out empty words, and the option would take the next word as its value.
            words += [f"{option}="] if item == "" else [option, json.dumps(item) if nested else str(item)]
    return words


def each(option: str, values: Iterable) -> list[str]:
    """`--option value` for each of the values."""
    return [word for value in values for word in (f"--{option}", str(value))]


def paired(option: str, names: Iterable[str], values: Iterable[str]) -> list[str]:
    """`--option name value` for each pair of a name and a value."""
    return [word for pair in zip(names, values, strict=True) for word in (f"--{option}", *pair)]
