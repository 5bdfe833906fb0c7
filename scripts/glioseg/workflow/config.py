"""The configuration of a study: checked against its schema, and its data sources spelled out."""

import difflib
import json
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match


def check_config(config: dict, schema: Path) -> None:
    """Make numbers of texts where the schema (a YAML file) wants numbers, then refuse what it does not allow.

    Snakemake leaves the numbers within --config train={epochs: 3} as text. Raises ValueError with a sentence for each
    setting that is refused. (snakemake.utils.validate prints the whole schema.)
    """
    # The C loader, where there is one, for every job of a cluster reads this.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    validator = Draft202012Validator(yaml.load(schema.read_text(encoding="utf-8"), loader))
    errors = list(validator.iter_errors(config))
    for error in errors:
        if error.validator in ("type", "anyOf") and error.absolute_path:
            *sections, name = error.absolute_path
            reduce(getitem, sections, config)[name] = numbers_in(error.instance)
    # What is left; a configuration without errors is not looked through again.
    sentences = [sentence for error in errors and validator.iter_errors(config) for sentence in _sentences(error)]
    if not sentences and config["preprocess"]["missing"] == "zeros" and not config["train"]["modality_dropout"]:
        sentences = ["preprocess: missing: zeros asks for train: modality_dropout above 0, for the network to learn it"]
    if sentences:
        raise ValueError("\n".join(["The configuration can't be used.", *sentences]))


def numbers_in(value: object) -> object:
    """What JSON makes of a text, or of each text of a list; the same where it is none."""
    if isinstance(value, list):
        return [numbers_in(item) for item in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def sources(config: Mapping) -> list[dict]:
    """Where subjects come from: for each source a dictionary of folder, layout, labels and prefix."""
    data = config["data"] if isinstance(config["data"], list) else [config["data"]]
    common = {"layout": config["layout"], "labels": config["labels"], "prefix": ""}
    return [common | (source if isinstance(source, dict) else {"folder": source}) for source in data]


def _sentences(error: ValidationError) -> list[str]:
    """What an error of the schema says, in sentences that name the setting."""
    where = "".join(f"{step}: " for step in error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        return [
            f"{where}{name} is no setting; {_hint(str(name), known)}"
            for name in sorted(set(error.instance) - set(known))
        ]
    if error.validator == "anyOf":
        words = [case.validator_value for case in error.context if case.validator == "const"]
        said = best_match(case for case in error.context if case.validator != "const").message
        return [f"{where}{said}" + (f"; or take {' or '.join(words)}" if words else "")]
    return [f"{where}{error.message}"]


def _hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
