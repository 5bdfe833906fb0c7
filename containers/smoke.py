"""Smoke test of an image: its packages have the locked versions and can be imported, and a Keras network runs."""

import importlib
import importlib.metadata
import importlib.util
import re
from pathlib import Path

LIGHT = ["SimpleITK", "click", "highdicom", "isal", "jinja2", "matplotlib.pyplot", "nibabel", "nilearn", "numpy"]
LIGHT += ["pydicom", "scipy", "sklearn"]
FULL = ["h5py", "keras", "onnx", "openvino", "segmentation_models_3D", "snakemake.cli", "tensorflow"]

lock = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", Path("/opt/requirements.lock").read_text(), re.M))
for name, version in lock.items():
    found = importlib.metadata.version(name)
    if found != version:
        raise SystemExit(f"{name}: the lock lists version {version}, but {found} is installed")
full = "keras" in lock
for module in LIGHT + FULL * full:
    importlib.import_module(module)
if importlib.util.find_spec("ipyniivue") is None:  # not imported, since that needs Jupyter
    raise SystemExit("ipyniivue, which contains the viewer, is not installed")
if full:
    import keras
    import numpy as np

    network = keras.Sequential([keras.Input((8, 8, 8, 4)), keras.layers.Conv3D(2, 3, activation="softmax")])
    total = float(np.sum(network(np.ones((1, 8, 8, 8, 4), np.float32))))
    if abs(total - 6**3) > 1e-3:
        raise SystemExit(f"a softmax over 6 x 6 x 6 voxels sums to {total}; expected {6**3}")
print(f"{len(lock)} packages as locked, {'with' if full else 'without'} TensorFlow")
