"""Test reading the facts stored next to a model."""

import json

from glioseg.predict.model_facts import read_facts


def test_facts_say_what_the_channels_are(tmp_path):
    model = tmp_path / "model.keras"
    facts = {"settings": {"classes": ["background", "edema"], "targets": "regions"}}
    model.with_name("settings.json").write_text(json.dumps(facts))
    assert read_facts([model]).channels == ("WT", "TC", "ET")
    assert read_facts([model]).targets == "regions"
