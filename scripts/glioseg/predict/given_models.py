"""Let a study follow finished models (the setting `models`): scans are prepared as the models expect them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from glioseg.model_files import CHOSEN, ModelFile, files_of, lies_in, models_in, size_thresholds
from glioseg.predict.model_facts import read_facts

# A study may leave out scans with little tumor, whatever the models were trained on.
OWN = ("min_tumor_percent",)


def given_models(config: Mapping) -> list[ModelFile]:
    """The models of the setting `models`, which is a place or a list of places (`models_of`); [] if it is empty.

    Raises ValueError if a place has no model, or lies in the results folder of the study itself.
    """
    places = [config["models"]] if isinstance(config["models"], str) else config["models"]
    models = models_in(map(Path, places))
    for file in files_of(models):
        if lies_in(file, Path(config["results"])):
            raise ValueError(f"models: {file} is in the results folder of this study; set results to another folder")
    return models


def follow(config: dict, models: Sequence[ModelFile], chosen: Mapping, defaults: Mapping) -> None:
    """Change the settings of a configuration that models determine: modalities, preprocess, and size thresholds.

    chosen: the settings that the user gave, perhaps some of them with the default value; defaults: all settings with
    their defaults. The size thresholds of `predict` stay as the user chose them. Raises ValueError if the user chose
    another setting that contradicts the models, or own folds; if a model has no usable settings.json; or if the models
    differ.
    """
    if config["split"]["file"] or config["split"]["by"]:
        raise ValueError("split: file and split: by have no use with finished models, since nothing is trained")
    study = read_facts(models).study
    if not study:
        raise ValueError(f"models: {models[0]} does not record how its scans were prepared; train it again")

    def take(section: dict, name: str, value: object, theirs: Mapping, usual: Mapping) -> None:
        if section[name] != value and is_chosen(section, name, theirs, usual):
            raise ValueError(
                f"{name}: {section[name]} contradicts {models[0]}, which was trained with {value}; leave the setting "
                "out: how scans are prepared is read from the models"
            )
        section[name] = value

    take(config, "modalities", study["modalities"], chosen, defaults)
    for name, value in study["preprocess"].items():
        if name not in OWN and name in config["preprocess"]:
            take(config["preprocess"], name, value, chosen.get("preprocess", {}), defaults["preprocess"])
    theirs = chosen.get("predict", {}), defaults["predict"]
    if not all(is_chosen(config["predict"], name, *theirs) for name in CHOSEN):
        for name, value in size_thresholds(models).items():
            if not is_chosen(config["predict"], name, *theirs):
                config["predict"][name] = value


def is_chosen(section: Mapping, name: str, theirs: Mapping, usual: Mapping) -> bool:
    """Whether the user chose a setting: it is among theirs, or differs from the usual one."""
    return name in theirs or section[name] != usual[name]
