"""Settings of a study are numbers where they should be, and refused in a sentence."""

import copy

import pytest
import yaml
from studies import ROOT

from glioseg.workflow.config import check_config, numbers_in, sources

SCHEMA = ROOT / "rules/config.schema.yaml"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def test_numbers_in_by_hand():
    assert numbers_in("3") == 3 and numbers_in("0.5") == 0.5
    assert numbers_in(["4", "x", 8]) == [4, "x", 8]
    assert numbers_in("brain") == "brain" and numbers_in(None) is None


def test_texts_become_the_numbers_that_the_schema_wants():
    config = copy.deepcopy(CONFIG)
    config["train"]["epochs"] = "3"
    check_config(config, SCHEMA)
    assert config["train"]["epochs"] == 3
    assert config["preprocess"] == CONFIG["preprocess"]


@pytest.mark.parametrize(
    ("section", "name", "value", "sentence"),
    [
        ("train", "epoch", 3, r"^train: epoch is no setting; did you mean epochs\?$"),
        ("train", "epochs", "many", r"^train: epochs: 'many' "),
        ("preprocess", "missing", "zeros", r"^preprocess: missing: zeros asks for train: modality_dropout above 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(section, name, value, sentence):
    config = copy.deepcopy(CONFIG)
    config["train"]["modality_dropout"] = 0
    config[section][name] = value
    with pytest.raises(ValueError, match=f"(?m){sentence}") as refusal:
        check_config(config, SCHEMA)
    assert str(refusal.value).startswith("The configuration can't be used.\n")


def test_sources_by_hand():
    common = {"layout": "auto", "labels": "msd"}
    assert sources(common | {"data": "a"}) == [common | {"prefix": "", "folder": "a"}]
    told = {"folder": "b", "prefix": "b_", "labels": "brats2020"}
    assert sources(common | {"data": ["a", told]})[1] == {"layout": "auto", **told}
