"""A model.keras belongs to Keras alone: it loads where nothing of glioseg is installed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from trainings import train_command

LOADING = """
import json, os, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import keras
import numpy as np

model = keras.models.load_model(sys.argv[1])
assert not [name for name in sys.modules if name.startswith("glioseg")]
image = np.random.default_rng(0).normal(size=model.input_shape[1:]).astype("float32")
found = np.asarray(model(image[None]))
print(json.dumps([list(found.shape), float(found.min()), float(found.sum(-1).mean())]))
"""


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "unet", "deep-supervision": True, "average": 0.9},
        {"network": "unet", "normalization": "none", "targets": "regions", "precision": "mixed_bfloat16"},
        {"network": "original"},
    ],
    ids=["supervised", "regions in bfloat16", "original"],
)
def test_a_model_loads_in_a_fresh_python(preprocessed, tmp_path, changes):
    command = train_command(preprocessed, tmp_path, **{"epochs": 1, "steps-per-epoch": 1, **changes})
    trained = subprocess.run(command, capture_output=True, text=True)
    assert trained.returncode == 0, trained.stderr
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", LOADING, str(tmp_path / "model.keras")],
        cwd=tmp_path, env=bare, capture_output=True, text=True,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr[-2000:]
    shape, lowest, total = json.loads(loaded.stdout.splitlines()[-1])
    outputs = 3 if changes.get("targets") == "regions" else 4
    assert shape == [1, 16, 16, 16, outputs]
    assert lowest >= 0
    if outputs == 4:
        assert np.isclose(total, 1, atol=1e-2), "a softmax"
