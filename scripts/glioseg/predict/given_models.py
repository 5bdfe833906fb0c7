"""Let a study follow finished models (the setting `models`): scans are prepared as the models expect them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from glioseg.predict.model_facts import read_facts
from glioseg.predict.model_files import models_of

SMALLEST = ("smallest_enhancing_ml", "smallest_component_ml")
# A study may leave out scans with little tumor, whatever the models were trained on.
OWN = ("min_tumor_percent",)


def follow(config: dict, models: Sequence[str], chosen: Mapping, defaults: Mapping) -> None:
    """Change the settings modalities and preprocess of a configuration to those of the models.

    chosen: the settings that the user gave, perhaps some of them with the default value; defaults: all settings with
    their defaults. Raises ValueError if the user chose a setting that contradicts the models, if a model has no
    readable settings.json, if the models differ, or if the
    user's own folds are given, too.
    """
    study = read_facts([Path(model) for model in models]).study
    if config["split"]["file"] or config["split"]["by"]:
        raise ValueError("split: file and split: by have no use with finished models, since nothing is trained")
    if not study:
        raise ValueError(f"models: {models[0]} does not record how its scans were prepared; train it again")
    _follow(config, "modalities", study["modalities"], chosen, defaults, models[0])
    for name, value in study["preprocess"].items():
        if name not in OWN and name in config["preprocess"]:
            _follow(config["preprocess"], name, value, chosen.get("preprocess", {}), defaults["preprocess"], models[0])


def _follow(section: dict, name: str, value: object, chosen: Mapping, defaults: Mapping, model: str) -> None:
    if section[name] != value and (name in chosen or section[name] != defaults[name]):
        raise ValueError(
            f"{name}: {section[name]} contradicts {model}, which was trained with {value}; leave the setting out: how "
            "scans are prepared is read from the models"
        )
    section[name] = value


def given_models(places: str | Sequence[str]) -> list[str]:
    """The files model.keras of the setting `models`: of one place or several, each a results folder or a model.keras.

    Raises ValueError if a place has no model.
    """
    places = [places] if isinstance(places, str) else places
    return [str(model) for place in places for model in models_of(Path(place).expanduser())]


def insist_on_elsewhere(models: Sequence[str], results: Path) -> None:
    """Raise ValueError if one of the models lies in the results folder of the study that is to use it."""
    for model in models:
        if results.resolve() in Path(model).resolve().parents:
            raise ValueError(
                f"models: {model} is in the results folder of this study; give the study another results folder"
            )
