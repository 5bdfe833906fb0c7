"""The settings of a training are those in config.yaml and of the command train."""

from test_agreement import CONFIG, command

from glioseg.train.settings import TrainSettings


def test_settings_are_the_section_train_with_the_seed_and_the_classes():
    # start_learning_rate takes the place of learning_rate.
    in_place_of_another = {"start_learning_rate"}
    assert set(TrainSettings.__annotations__) == {*CONFIG["train"], "seed", "classes"} - in_place_of_another


def test_the_command_has_an_option_for_each_setting():
    assert set(TrainSettings.__annotations__) <= {option.name for option in command("train").params}
