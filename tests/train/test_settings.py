"""The settings of a training are those in config.yaml and of the command train."""

import pytest
from test_agreement import CONFIG, SCHEMA, command

from glioseg.train.settings import AUGMENTATIONS, TrainSettings, with_augmentation


def test_settings_are_the_section_train_with_the_seed_and_the_classes():
    # start_learning_rate takes the place of learning_rate, and the changes that augmentation names that of the name.
    in_place_of_another = {"start_learning_rate", "augmentation"}
    assert set(TrainSettings.__annotations__) == {*CONFIG["train"], "seed", "classes"} - in_place_of_another


def test_the_command_has_an_option_for_each_setting():
    assert set(TrainSettings.__annotations__) <= {option.name for option in command("train").params}


def test_a_set_of_changes_has_a_value_for_each_setting_that_may_be_auto():
    automatic = {name for name, value in CONFIG["train"].items() if value == "auto"}
    automatic -= {"filters", "patch", "batch", "normalization", "average", "precision"}
    for name, values in AUGMENTATIONS.items():
        assert set(values) == automatic, name
    assert set(SCHEMA["properties"]["train"]["properties"]["augmentation"]["enum"]) == set(AUGMENTATIONS)


def test_a_name_stands_for_values_and_each_of_them_can_be_replaced():
    given = dict.fromkeys(AUGMENTATIONS["none"], "auto") | {"scale": ("auto",), "gamma": ("auto",), "seed": 3}
    for name, values in AUGMENTATIONS.items():
        assert with_augmentation(given | {"augmentation": name}) == {"seed": 3, **values}
    changed = with_augmentation(given | {"augmentation": "strong", "rotation": 20.0, "scale": (0.5, 2.0)})
    assert changed == {"seed": 3, **AUGMENTATIONS["strong"], "rotation": 20.0, "scale": (0.5, 2.0)}
    with pytest.raises(ValueError, match=r"'much'.*none, standard, strong"):
        with_augmentation(given | {"augmentation": "much"})
    for wrong in ((1.6, 0.65), (0.0, 2.0), (0.5, 0.9), (0.5, 1.0, 2.0)):
        with pytest.raises(ValueError, match=f"gamma: expected one number.*found {wrong[0]}, {wrong[1]}"):
            with_augmentation(given | {"augmentation": "none", "gamma": wrong})
