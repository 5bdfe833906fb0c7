"""What the tests of several commands start from."""

import json

import numpy as np
import pytest
from examples import TISSUES
from studies import MODALITIES, SETTINGS, write_subject

from glioseg.preprocess.scan import preprocess_scan
from glioseg.train import device  # noqa: F401  (before TensorFlow)

STUDY = {"modalities": list(MODALITIES), "labels": "brats2020", "preprocess": {}}
STUDY["preprocess"] = {name: SETTINGS[name] for name in ("spacing_mm", "crop", "normalization", "min_tumor_percent")}
STUDY["preprocess"]["missing"] = "exclude"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two models that were never trained, with what stands beside them, and a subject with its folder of preprocess."""
    import keras

    from glioseg.train.networks import build_network

    folder = tmp_path_factory.mktemp("study")
    for name in ("0", "1"):
        keras.utils.set_random_seed(int(name) + 3)
        (folder / name).mkdir()
        build_network("unet", (16, 16, 16), 4, 4, (4, 8), "").save(folder / name / "model.keras")
        facts = {"settings": {"classes": list(TISSUES), "network": "unet", "seed": 42}, "study": STUDY}
        facts |= {"fold": name, "parameters": 4900, "subjects": [], "validation_subjects": []}
        (folder / name / "settings.json").write_text(json.dumps(facts))
    case = write_subject(folder / "data", 3, np.array([[0, 0, 1.5, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]]))
    images = {name: (case / f"{case.name}_{name}.nii.gz", 0) for name in MODALITIES}
    scan, arrays = preprocess_scan(case.name, images, None, SETTINGS)
    (folder / "scan").mkdir()
    np.save(folder / "scan" / "image.npy", arrays["image"])
    (folder / "scan" / "scan.json").write_text(json.dumps(scan))
    return folder, case
