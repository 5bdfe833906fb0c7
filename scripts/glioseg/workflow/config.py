"""Checking the configuration of a study against its schema, and listing its data sources."""

import difflib
import json
import re
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from glioseg.labels import EVERYWHERE
from glioseg.workflow.options import BRACKETS

# Settings that are paths. Of the paths of data, those that cannot be used leave out their subjects alone.
PATHS = (("results",), ("data",), ("models",), ("register", "strip"), ("split", "file"), ("train", "start"))


def add_defaults(config: dict, defaults: Path) -> None:
    """Add the settings of a YAML file that a configuration does not have, at its top and in its sections.

    A workflow that uses this one as a module hands over only the settings that it changes.
    """
    for name, value in read_yaml(defaults).items():
        if isinstance(value, dict) and isinstance(config.get(name), dict):
            config[name] = value | config[name]
        config.setdefault(name, value)


def check_config(config: dict, schema: Path) -> None:
    """Convert text to numbers where the schema (a YAML file) requires them, then check the configuration.

    The conversion changes `config`: Snakemake leaves the numbers in --config train={epochs: 3} as text. A number such
    as 30.0 or 1e3 becomes an integer where the schema requires one, and ~ in a path becomes the home folder. Raises
    ValueError with a sentence for each invalid setting; snakemake.utils.validate would print the whole schema.
    """
    validator = Draft202012Validator(read_yaml(schema))
    errors = list(validator.iter_errors(config))
    for error in errors:
        if error.validator in ("type", "anyOf") and error.absolute_path:
            *sections, name = error.absolute_path
            reduce(getitem, sections, config)[name] = numbers_in(error.instance)
    # Validate again only if there were errors: the conversion may have removed some of them.
    found = errors and validator.iter_errors(config)
    sentences = [sentence for error in found for sentence in _sentences(error, validator.schema)]
    zeros = config["preprocess"]["missing"] == "zeros" and not config["models"]
    if not sentences and zeros and not config["train"]["modality_dropout"]:
        sentences = ["preprocess: missing: zeros requires train: modality_dropout above 0, to learn from zeros"]
    if not sentences and config["train"]["freeze_encoder"] and not config["train"]["start"]:
        sentences = ["train: freeze_encoder: true requires train: start, a model whose encoder is kept"]
    sentences = sentences or _register_sentences(config["register"], config["modalities"])
    if sentences:
        raise ValueError("\n".join(["The configuration is not valid.", *sentences]))
    for name in config:
        config[name] = _integers(config[name], validator.schema["properties"][name])
    for *sections, name in PATHS:
        section = reduce(getitem, sections, config)
        section[name] = _expanded(section[name])
        unusable = [path for path in _texts(section[name]) if name != "data" and BRACKETS.search(path)]
        if unusable:
            where = ": ".join((*sections, name))
            raise ValueError(
                f"{where}: {unusable[0]} holds one of {{ }} < >, which Snakemake reads as variables; rename it"
            )


def _register_sentences(register: Mapping, modalities: list[str]) -> list[str]:
    """What is wrong with the section register, whose other settings mean nothing if its mode is never."""
    if register["mode"] == "never":
        unused = [name for name, value in (("n4", False), ("strip", "none")) if register[name] != value]
        return [f"register: {name} requires register: mode to be always or auto" for name in unused]
    if register["reference"] in (*modalities, "finest"):
        return []
    return [f"register: reference: {register['reference']} is none of {', '.join(modalities)}; or use finest"]


def searches_regions(config: Mapping) -> bool:
    """Whether thresholds of regions are searched, on the maps of all three, if the study has folds."""
    regions = config["train"]["targets"] == "regions" and not config["models"]
    mapped = {*EVERYWHERE} <= {*config["predict"]["maps"]}
    return bool(regions and mapped and config["tune_postprocess"]["region_thresholds"])


def calibrates(config: Mapping) -> bool:
    """Whether a temperature is chosen, on the maps of WT, TC and ET, if the study has folds."""
    mapped = {*EVERYWHERE} <= {*config["predict"]["maps"]}
    return bool(mapped and not config["models"] and config["tune_postprocess"]["temperatures"])


def numbers_in(value: object) -> object:
    """Parse a string, or each string in a list, as JSON. Strings that are not JSON and other values stay unchanged."""
    if isinstance(value, list):
        return [numbers_in(item) for item in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _integers(value: object, schema: Mapping) -> object:
    """The value with integers instead of numbers such as 30.0, wherever the schema requires integers."""
    if "anyOf" in schema:
        return reduce(_integers, schema["anyOf"], value)
    if isinstance(value, float) and schema.get("type") == "integer":
        return int(value)
    if isinstance(value, list) and "items" in schema:
        return [_integers(item, schema["items"]) for item in value]
    if isinstance(value, dict) and "properties" in schema:
        return {name: _integers(item, schema["properties"][name]) for name, item in value.items()}
    return value


def _expanded(paths: object) -> object:
    """A path, or the data sources, with the home folder instead of ~ at the beginning of a path."""
    if isinstance(paths, list):
        return [_expanded(source) for source in paths]
    if isinstance(paths, dict):
        return paths | {"folder": _expanded(paths["folder"])}
    try:
        return str(Path(paths).expanduser()) if paths.startswith("~") else paths
    except RuntimeError as error:
        raise ValueError(f"{paths}: there is no such home folder; write the whole path") from error


def _texts(value: object) -> list[str]:
    """A text, or the texts of a list."""
    return [value] if isinstance(value, str) else [one for one in value if isinstance(one, str)]


def sources(config: Mapping) -> list[dict]:
    """The data sources: for each, a dictionary of folder, layout, labels and prefix."""
    data = config["data"] if isinstance(config["data"], list) else [config["data"]]
    common = {"layout": config["layout"], "labels": config["labels"], "prefix": ""}
    return [common | (source if isinstance(source, dict) else {"folder": source}) for source in data]


def read_yaml(path: Path) -> dict:
    """The content of a YAML file."""
    # The C loader is faster, which matters because every cluster job reads the schema.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def _sentences(error: ValidationError, schema: Mapping) -> list[str]:
    """Sentences that explain an error of the schema and name the setting."""
    path = list(error.absolute_path)
    # The sentence names the item of a list itself.
    while path and isinstance(path[-1], int):
        path.pop()
    where = "".join(f"{step}: " for step in path)
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = [str(name) for name in error.instance if name not in known]
        return [f"{where}{name} is not a setting; {_hint(name, known, schema)}" for name in sorted(unknown)]
    if error.validator == "anyOf":
        words = [case.validator_value for case in error.context if case.validator == "const"]
        # The error furthest inside the value is that of the kind that is meant: an item of a list, if it is a list.
        others = [case for case in error.context if case.validator != "const"]
        deepest = max(len(case.absolute_path) for case in others)
        inner = best_match([case for case in others if len(case.absolute_path) == deepest])
        return [said + (f"; or use {' or '.join(words)}" if words else "") for said in _sentences(inner, schema)]
    return [f"{where}{_said(error)}"]


def _said(error: ValidationError) -> str:
    """The message of an error. YAML reads some words as something other than text: 001, no, 2024-01-02."""
    if error.validator == "type" and not isinstance(error.instance, str | list | dict):
        kind = type(error.instance).__name__
        if error.validator_value == "string":
            return f"YAML reads this as {error.instance} ({kind}), not as text; quote it, as in '001'"
        if error.validator_value == "array":
            return f"expected a list in square brackets, found {error.instance} ({kind})"
    return error.message


def _hint(name: str, known: list[str], schema: Mapping) -> str:
    """What may be meant by a name that is not among the settings `known` of a section: a setting of any section."""
    places: dict[str, list[str]] = {setting: [setting] for setting in schema["properties"]}
    for section, rules in schema["properties"].items():
        for setting in rules.get("properties", ()):
            places.setdefault(setting, []).append(f"{section}: {setting}")
    # Within the section, a setting needs no section before it.
    places |= {setting: [setting] for setting in known}
    # train.epochs means train: epochs.
    word = re.split("[.:/]", name)[-1]
    meant = [word] if word in places else difflib.get_close_matches(word, places, 1)
    return f"did you mean {' or '.join(places[meant[0]])}?" if meant else f"the settings are {', '.join(known)}"
