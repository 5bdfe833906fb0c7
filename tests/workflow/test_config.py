"""Text settings are converted to numbers where the schema requires them, and invalid settings are refused."""

import copy
import datetime
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
import yaml
from studies import ROOT

from glioseg.workflow.config import add_defaults, check_config, numbers_in, searches_regions, sources

SCHEMA = ROOT / "rules/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_settings_that_a_configuration_lacks_are_added():
    config = {"data": "folder", "train": {"epochs": 3}}
    add_defaults(config, ROOT / "config.yaml")
    assert config == CONFIG | {"data": "folder", "train": CONFIG["train"] | {"epochs": 3}}
    check_config(config, SCHEMA)


def test_numbers_in_by_hand():
    assert numbers_in("3") == 3 and numbers_in("0.5") == 0.5
    assert numbers_in(["4", "x", 8]) == [4, "x", 8]
    assert numbers_in("brain") == "brain" and numbers_in(None) is None


@pytest.mark.parametrize("path", ["a{b}", "{a", "a<b>", "/x/{y}/z"])
@pytest.mark.parametrize("where", ["results", "models", "split: file", "train: start"])
def test_paths_that_snakemake_would_read_as_variables_are_refused(where, path):
    config = copy.deepcopy(CONFIG)
    *sections, name = where.split(": ")
    reduce(getitem, sections, config)[name] = [path] if name == "models" else path
    with pytest.raises(ValueError, match=r"holds one of \{ \} < >, which Snakemake reads as variables") as refusal:
        check_config(config, SCHEMA)
    assert str(refusal.value).startswith(f"{where}: {path} holds")


def test_the_home_folder_may_be_written_in_every_path():
    config = copy.deepcopy(CONFIG)
    config["models"], config["train"]["start"] = ["~/a.zip", "b"], "~/c/model.keras"
    check_config(config, SCHEMA)
    assert config["models"] == [str(Path.home() / "a.zip"), "b"]
    assert config["train"]["start"] == str(Path.home() / "c/model.keras")


def test_text_is_converted_to_the_numbers_that_the_schema_requires():
    config = copy.deepcopy(CONFIG)
    config["train"]["epochs"] = "3"
    check_config(config, SCHEMA)
    assert config["train"]["epochs"] == 3
    assert config["preprocess"] == CONFIG["preprocess"]


@pytest.mark.parametrize(
    ("section", "name", "value", "sentence"),
    [
        ("train", "epoch", 3, r"^train: epoch is not a setting; did you mean epochs\?$"),
        ("train", "epochs", "many", r"^train: epochs: 'many' "),
        ("train", "epochs", 3.5, r"^train: epochs: 3.5 is not of type 'integer'"),
        ("train", "seed", 3, r"^train: seed is not a setting; did you mean seed\?$"),
        ("predict", "epochs", 3, r"^predict: epochs is not a setting; did you mean train: epochs\?$"),
        ("train", "patch", 64, r"^train: patch: expected a list in square brackets, found 64 \(int\); or use auto$"),
        ("train", "patch", [64, 64, 3], r"^train: patch: 3 is less than the minimum of 8; or use auto$"),
        ("preprocess", "missing", "zeros", r"^preprocess: missing: zeros requires train: modality_dropout above 0"),
        ("register", "n4", True, r"^register: n4 requires register: mode to be always or auto$"),
        ("register", "strip", "brains", r"^register: strip requires register: mode to be always or auto$"),
        ("register", "mode", True, r"^register: mode: True is not one of \['never', 'always', 'auto'\]$"),
        ("train", "freeze_encoder", True, r"^train: freeze_encoder: true requires train: start, a model"),
    ],
)
def test_invalid_settings_are_refused(section, name, value, sentence):
    config = copy.deepcopy(CONFIG)
    config["train"]["modality_dropout"] = 0
    config[section][name] = value
    with pytest.raises(ValueError, match=f"(?m){sentence}") as refusal:
        check_config(config, SCHEMA)
    assert str(refusal.value).startswith("The configuration is not valid.\n")


def test_the_reference_of_a_registration_is_a_modality():
    config = copy.deepcopy(CONFIG)
    config["register"] |= {"mode": "auto", "reference": "t1gd"}
    with pytest.raises(ValueError, match=r"register: reference: t1gd is none of flair, t1, t1ce, t2; or use finest$"):
        check_config(config, SCHEMA)
    for reference in ("flair", "finest"):
        config["register"]["reference"] = reference
        check_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("epochs", 3, "epochs is not a setting; did you mean train: epochs?"),
        ("epoch", 3, "epoch is not a setting; did you mean train: epochs?"),
        ("train.epochs", 3, "train.epochs is not a setting; did you mean train: epochs?"),
        (
            "smallest_component_ml",
            1,
            "smallest_component_ml is not a setting; did you mean predict: smallest_component_ml or tune_postprocess: "
            "smallest_component_ml?",
        ),
        ("trian", {}, "trian is not a setting; did you mean train?"),
        ("wavelength", 1, "wavelength is not a setting; the settings are data, layout,"),
        (3, 1, "3 is not a setting; the settings are data, layout,"),
        ("exclude", [1], "exclude: YAML reads this as 1 (int), not as text; quote it, as in '001'"),
        (
            "include",
            [datetime.date(2024, 1, 2)],
            "include: YAML reads this as 2024-01-02 (date), not as text; quote",
        ),
        ("exclude", 1, "exclude: expected a list in square brackets, found 1 (int)"),
        ("results", 2024, "results: YAML reads this as 2024 (int), not as text; quote it"),
        ("data", False, "data: YAML reads this as False (bool), not as text; quote it"),
        ("data", ["a", 2], "data: YAML reads this as 2 (int), not as text; quote it"),
        ("data", [{"folder": "a", "prefix": 1}], "data: 0: prefix: YAML reads this as 1 (int), not as text; quote it"),
        ("results", "~nobody-has-this-name/a", "~nobody-has-this-name/a: there is no such home folder"),
    ],
)
def test_the_sentence_says_what_may_be_meant(name, value, sentence):
    with pytest.raises(ValueError) as refusal:
        check_config(copy.deepcopy(CONFIG) | {name: value}, SCHEMA)
    assert sentence in str(refusal.value)


def test_whole_numbers_become_integers_in_every_setting_that_requires_them():
    config = copy.deepcopy(CONFIG)
    config["seed"] = "1e3"
    config["train"] |= {"epochs": 30.0, "filters": [4.0, "8.0"], "patch": [16.0, 16, 16], "batch": 2.0, "scale": 1.0}
    config["preprocess"] |= {"crop": [[0.0, 9], [0, 9], [0, 9.0]], "spacing_mm": 1.0}
    check_config(config, SCHEMA)
    assert repr((config["seed"], config["train"]["epochs"], config["train"]["batch"])) == "(1000, 30, 2)"
    assert repr(config["train"]["filters"] + config["train"]["patch"]) == "[4, 8, 16, 16, 16]"
    assert repr(config["preprocess"]["crop"]) == "[[0, 9], [0, 9], [0, 9]]"
    # Other numbers keep their type, so that the options of the commands stay as they are.
    assert repr((config["train"]["scale"], config["preprocess"]["spacing_mm"])) == "(1.0, 1.0)"
    # Every integer of the schema is converted.
    for place, minimum in integers(yaml.safe_load(SCHEMA.read_text())):
        config = copy.deepcopy(CONFIG)
        *sections, last = place
        section = reduce(getitem, sections, config)
        section[last] = float(minimum)
        check_config(config, SCHEMA)
        assert type(reduce(getitem, place, config)) is int, place


def integers(schema, place=()):
    """Place and minimum of each setting that is a single integer."""
    for name, rules in schema["properties"].items():
        kinds = rules.get("anyOf", [rules])
        yield from (((*place, name), kind["minimum"]) for kind in kinds if kind.get("type") == "integer")
        if rules.get("type") == "object":
            yield from integers(rules, (*place, name))


def test_the_home_folder_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anne")
    config = copy.deepcopy(CONFIG) | {"data": ["~/a", {"folder": "~/b"}, "c/~"], "results": "~/r"}
    check_config(config, SCHEMA)
    assert config["data"] == ["/home/anne/a", {"folder": "/home/anne/b"}, "c/~"]
    assert config["results"] == "/home/anne/r"
    config["train"]["start"] = "~/model.keras"
    check_config(config, SCHEMA)
    assert config["train"]["start"] == "/home/anne/model.keras"
    config = copy.deepcopy(CONFIG) | {"data": "~/a", "results": "./r/"}
    check_config(config, SCHEMA)
    assert (config["data"], config["results"]) == ("/home/anne/a", "./r/")


def test_sources_by_hand():
    common = {"layout": "auto", "labels": "msd"}
    assert sources(common | {"data": "a"}) == [common | {"prefix": "", "folder": "a"}]
    given = {"folder": "b", "prefix": "b_", "labels": "brats2020"}
    assert sources(common | {"data": ["a", given]})[1] == {"layout": "auto", **given}


def test_thresholds_of_regions_are_searched_on_maps_of_the_regions():
    config = copy.deepcopy(CONFIG)
    config["train"]["targets"] = "regions"
    check_config(config, SCHEMA)
    assert searches_regions(config)
    for section, name, value in (
        ("predict", "maps", ["WT", "ET"]),
        ("tune_postprocess", "region_thresholds", []),
        ("train", "targets", "classes"),
    ):
        other = copy.deepcopy(config)
        other[section][name] = value
        check_config(other, SCHEMA)
        assert not searches_regions(other)
