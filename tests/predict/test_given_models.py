"""A study that uses finished models prepares its scans as these models expect them."""

import copy
import json

import pytest
from trainings import model_of

from glioseg.predict.given_models import follow, given_models

DEFAULTS = {
    "modalities": ["flair", "t1"],
    "preprocess": {"spacing_mm": 1.0, "crop": "brain", "normalization": "zscore", "min_tumor_percent": 0.0},
    "split": {"file": "", "by": ""},
    "predict": {
        "smallest_enhancing_ml": 0.2,
        "smallest_component_ml": 0.1,
        "threshold_wt": 0.5,
        "threshold_tc": 0.5,
        "threshold_et": 0.5,
        "temperature": 1.0,
    },
}
STUDY = {
    "modalities": ["t1ce"],
    "labels": "brats2020",
    "preprocess": {"spacing_mm": 1.0, "crop": "brain", "normalization": "percentile", "min_tumor_percent": 1.0},
}


@pytest.fixture
def model(tmp_path):
    (tmp_path / "A/train").mkdir(parents=True)
    return model_of(tmp_path / "A/train/all", study=STUDY)


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
        followed(model_of(tmp_path / "old"))


def test_models_are_found_and_may_not_be_those_of_the_study_itself(tmp_path, model):
    def found(models, results="B"):
        return given_models({"models": models, "results": str(tmp_path / results)})

    assert found(str(tmp_path / "A")) == found([str(model)]) == [model]
    assert found([]) == []
    with pytest.raises(ValueError, match="is in the results folder of this study; set results to another"):
        found(str(tmp_path / "A"), "A")


def test_size_thresholds_are_those_of_the_models_unless_the_user_chose_them(tmp_path, model):
    assert followed(model)["predict"] == DEFAULTS["predict"]
    (tmp_path / "A/tune_postprocess").mkdir()
    tuned = {"smallest_enhancing_ml": 1.0, "smallest_component_ml": 0.5, "threshold_et": 0.7, "temperature": 1.5}
    (tmp_path / "A/tune_postprocess/all.json").write_text(json.dumps({**tuned, "subjects": ["a"]}))
    assert followed(model)["predict"] == DEFAULTS["predict"] | tuned
    mine = {"predict": {"smallest_enhancing_ml": 0.2}}
    assert followed(model, mine)["predict"] == DEFAULTS["predict"] | tuned | mine["predict"]
    other = model_of(tmp_path / "B", study=STUDY)
    config = copy.deepcopy(DEFAULTS)
    with pytest.raises(ValueError, match="are of studies with different thresholds"):
        follow(config, [model, other], {}, DEFAULTS)
    both = DEFAULTS["predict"]
    follow(config, [model, other], {"predict": both}, DEFAULTS)
    assert config["predict"] == both
