"""Text settings are converted to numbers where the schema requires them, and invalid settings are refused."""

import copy

import pytest
import yaml
from studies import ROOT

from glioseg.workflow.config import add_defaults, check_config, numbers_in, sources

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
        ("preprocess", "missing", "zeros", r"^preprocess: missing: zeros requires train: modality_dropout above 0"),
    ],
)
def test_invalid_settings_are_refused(section, name, value, sentence):
    config = copy.deepcopy(CONFIG)
    config["train"]["modality_dropout"] = 0
    config[section][name] = value
    with pytest.raises(ValueError, match=f"(?m){sentence}") as refusal:
        check_config(config, SCHEMA)
    assert str(refusal.value).startswith("The configuration is not valid.\n")


def test_sources_by_hand():
    common = {"layout": "auto", "labels": "msd"}
    assert sources(common | {"data": "a"}) == [common | {"prefix": "", "folder": "a"}]
    given = {"folder": "b", "prefix": "b_", "labels": "brats2020"}
    assert sources(common | {"data": ["a", given]})[1] == {"layout": "auto", **given}
