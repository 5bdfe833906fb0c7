"""Checking the configuration of a study against its schema, and listing its data sources."""

import difflib
import json
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match


def add_defaults(config: dict, defaults: Path) -> None:
    """Add the settings of a YAML file that a configuration does not have, at its top and in its sections.

    A workflow that uses this one as a module hands over only the settings that it changes.
    """
    for name, value in _read(defaults).items():
        if isinstance(value, dict) and isinstance(config.get(name), dict):
            config[name] = value | config[name]
        config.setdefault(name, value)


def check_config(config: dict, schema: Path) -> None:
    """Convert text to numbers where the schema (a YAML file) requires them, then check the configuration.

    The conversion changes `config`: Snakemake leaves the numbers in --config train={epochs: 3} as text. Raises
    ValueError with a sentence for each invalid setting; snakemake.utils.validate would print the whole schema.
    """
    validator = Draft202012Validator(_read(schema))
    errors = list(validator.iter_errors(config))
    for error in errors:
        if error.validator in ("type", "anyOf") and error.absolute_path:
            *sections, name = error.absolute_path
            reduce(getitem, sections, config)[name] = numbers_in(error.instance)
    # Validate again only if there were errors: the conversion may have removed some of them.
    sentences = [sentence for error in errors and validator.iter_errors(config) for sentence in _sentences(error)]
    if not sentences and config["preprocess"]["missing"] == "zeros" and not config["train"]["modality_dropout"]:
        sentences = ["preprocess: missing: zeros requires train: modality_dropout above 0, to learn from zeros"]
    if sentences:
        raise ValueError("\n".join(["The configuration is not valid.", *sentences]))


def numbers_in(value: object) -> object:
    """Parse a string, or each string in a list, as JSON. Strings that are not JSON and other values stay unchanged."""
    if isinstance(value, list):
        return [numbers_in(item) for item in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def sources(config: Mapping) -> list[dict]:
    """The data sources: for each, a dictionary of folder, layout, labels and prefix."""
    data = config["data"] if isinstance(config["data"], list) else [config["data"]]
    common = {"layout": config["layout"], "labels": config["labels"], "prefix": ""}
    return [common | (source if isinstance(source, dict) else {"folder": source}) for source in data]


def _read(path: Path) -> dict:
    """The content of a YAML file."""
    # The C loader is faster, which matters because every cluster job reads the schema.
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _sentences(error: ValidationError) -> list[str]:
    """Sentences that explain an error of the schema and name the setting."""
    where = "".join(f"{step}: " for step in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        return [
            f"{where}{name} is not a setting; {_hint(str(name), known)}"
            for name in sorted(set(error.instance) - set(known))
        ]
    if error.validator == "anyOf":
        words = [case.validator_value for case in error.context if case.validator == "const"]
        said = best_match(case for case in error.context if case.validator != "const").message
        return [f"{where}{said}" + (f"; or use {' or '.join(words)}" if words else "")]
    return [f"{where}{error.message}"]


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"the settings are {', '.join(known)}"
