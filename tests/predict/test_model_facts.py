"""Test reading the facts stored next to a model."""

import json

import pytest
from trainings import model_of

from glioseg.predict.model_facts import learned_from, read_facts


def test_facts_say_what_the_channels_are(tmp_path):
    model = tmp_path / "model.keras"
    facts = {"settings": {"classes": ["background", "edema"], "targets": "regions"}}
    model.with_name("settings.json").write_text(json.dumps(facts))
    assert read_facts([model]).channels == ("WT", "TC", "ET")
    assert read_facts([model]).targets == "regions"


def test_models_of_unequal_patch_or_channels_are_refused(tmp_path):
    models = [model_of(tmp_path / f"{number}", size) for number, size in enumerate((32, 32, 48))]
    assert read_facts(models[:2]) == read_facts(models[2:])
    with pytest.raises(
        ValueError, match=r"/2/model.keras takes \d modalities in patches of 48x48x48 voxels, and .*/0/"
    ) as said:
        read_facts(models)
    assert "in patches of 32x32x32; average only models with the same modalities and patch" in str(said.value)


def test_a_scan_that_a_model_learned_from_is_found_by_its_voxels(tmp_path):
    one = model_of(tmp_path / "1", hashes={"a": {"t1": "1", "t2": "2"}, "b": {"t1": "3"}})
    other = model_of(tmp_path / "2", hashes={"c": {"t1": "4"}})
    old = model_of(tmp_path / "3")
    assert learned_from([one, other, old], {"t1": "9", "t2": "2"}) == {one: "a"}
    assert learned_from([one, other, old], {"t1": "5"}) == {}
