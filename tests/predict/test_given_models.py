"""A study that uses finished models prepares its scans as these models expect them."""

import copy

import pytest
from trainings import model_of

from glioseg.predict.given_models import follow, given_models, insist_on_elsewhere

DEFAULTS = {
    "modalities": ["flair", "t1"],
    "preprocess": {"spacing_mm": 1.0, "crop": "brain", "normalization": "zscore", "min_tumor_percent": 0.0},
    "split": {"file": "", "by": ""},
}
STUDY = {
    "modalities": ["t1ce"],
    "labels": "brats2020",
    "preprocess": {"spacing_mm": 1.0, "crop": "brain", "normalization": "percentile", "min_tumor_percent": 1.0},
}


@pytest.fixture
def model(tmp_path):
    (tmp_path / "A/train").mkdir(parents=True)
    return str(model_of(tmp_path / "A/train/all", study=STUDY))


def followed(model, chosen=None):
    config = copy.deepcopy(DEFAULTS)
    for name, value in (chosen or {}).items():
        config[name] = config[name] | value if isinstance(value, dict) else value
    follow(config, [model], chosen or {}, DEFAULTS)
    return config


def test_how_scans_are_prepared_is_read_from_the_models(model):
    config = followed(model)
    assert config["modalities"] == ["t1ce"] and config["preprocess"]["normalization"] == "percentile"
    assert config["preprocess"]["min_tumor_percent"] == 0.0, "the study's own choice"


def test_the_same_settings_may_be_given(model):
    assert followed(model, {"preprocess": {"normalization": "percentile"}})["modalities"] == ["t1ce"]
    assert followed(model, {"preprocess": {"min_tumor_percent": 2.0}})["preprocess"]["min_tumor_percent"] == 2.0


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (
            {"preprocess": {"normalization": "minmax"}},
            "normalization: minmax contradicts .*keras, .* percentile",
        ),
        ({"preprocess": {"normalization": "zscore"}}, "normalization: zscore contradicts"),
        ({"modalities": ["t2"]}, r"modalities: \['t2'\] contradicts .* trained with \['t1ce'\]; leave the setting out"),
        ({"split": {"by": "site"}}, "split: by have no use with finished models"),
    ],
)
def test_a_setting_that_contradicts_the_models_is_refused(model, chosen, words):
    with pytest.raises(ValueError, match=words):
        followed(model, chosen)


def test_a_model_that_does_not_say_how_its_scans_were_prepared_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not record how its scans were prepared"):
        followed(str(model_of(tmp_path / "old")))


def test_models_are_found_and_may_not_be_those_of_the_study_itself(tmp_path, model):
    assert given_models(str(tmp_path / "A")) == given_models([model]) == [model]
    assert given_models([]) == []
    insist_on_elsewhere([model], tmp_path / "B")
    with pytest.raises(ValueError, match="is in the results folder of this study; give the study another"):
        insist_on_elsewhere([model], tmp_path / "A")
