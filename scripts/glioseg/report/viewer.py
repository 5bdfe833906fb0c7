"""What a subject's page shows in its interactive viewer: volumes inside a script, and NiiVue itself."""

import base64
import gzip
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from glioseg.labels import CLASSES, region
from glioseg.plot.slices import window
from glioseg.plot.style import BLUE, ORANGE, TISSUES
from glioseg.preprocess.layers import Layers
from glioseg.volumes.boxes import bounding_box, cut
from glioseg.volumes.nifti import nifti_of, read_volume
from glioseg.volumes.orientation import to_lps

TRUTH, PREDICTION = "truth", "prediction"
DIFFERENCE = "difference"
DIFFERENCES = {"tumor missed": ORANGE, "tumor too much": BLUE, "another tissue": "#ffffff"}
GREYS, STEP = 64, 4  # as many as pictures have: more would be noise that doesn't compress


def read_overlays(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Maps of predict (float32, 0 to 1) in LPS order, by the names of their files."""
    return {path.name.partition(".")[0]: to_lps(*read_volume(path))[0] for path in paths}


def embedded(layers: Layers, overlays: Mapping[str, np.ndarray]) -> str:
    """A script that gives a page its volumes: NIfTI of bytes, compressed, in base64, cut to the box of the brain.

    overlays: name -> map from 0 to 1 on the layers' grid. A browser that opens
    a file may not fetch others, but may run scripts. Greys are multiples of 4: 4 is the darkest in the brain, 252 the
    brightest, as `window` bounds them; 0 is outside; overlays are 252 where they are 1. Of a file's header nothing is
    taken but its affine.
    """
    _, images, brain, affine, truth, predicted = layers
    labels = {name: classes for name, classes in ((TRUTH, truth), (PREDICTION, predicted)) if classes is not None}
    colors = {name: _tissues(classes) for name, classes in labels.items()}
    if len(labels) == 2:
        labels[DIFFERENCE] = difference(truth, predicted)
        colors[DIFFERENCE] = {name: [index, color] for index, (name, color) in enumerate(DIFFERENCES.items(), start=1)}
    box = bounding_box(np.logical_or.reduce([brain, *(classes > 0 for classes in labels.values())]))
    inside = cut(brain, box)
    moved = affine @ nib.affines.from_matvec(np.eye(3), [low for low, _ in box])
    shown = {name: _greys(cut(volume, box), inside) for name, volume in images.items()}
    shown |= {name: cut(classes, box) for name, classes in labels.items()}
    # As many steps as greys: the rest is noise that doesn't compress.
    shown |= {name: (cut(values, box) * (GREYS - 1)).round() * STEP for name, values in overlays.items()}
    content = {
        "images": list(images),
        "layers": colors,
        "overlays": list(overlays),
        "focus_mm": nib.affines.apply_affine(affine, _focus([truth, predicted, brain])).tolist(),
        "volumes": {name: _nifti(volume, moved) for name, volume in shown.items()},
    }
    return f"const SCAN = {json.dumps(content)};\n"


def difference(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Where two arrays of class indices differ: the number (uint8, from 1) of what `DIFFERENCES` calls it, else 0."""
    tumor = [region(classes, "WT") for classes in (truth, predicted)]
    return np.select([tumor[0] & ~tumor[1], ~tumor[0] & tumor[1], truth != predicted], [1, 2, 3]).astype(np.uint8)


def niivue() -> str:
    """NiiVue as a plain script that defines `Niivue`, from the module inside ipyniivue; its Jupyter part stays unused.

    Raises ValueError with a sentence where the package isn't installed, or is another than the one that is locked.
    """
    package = importlib.util.find_spec("ipyniivue")  # found, not imported: that asks for Jupyter
    if package is None:
        raise ValueError("ipyniivue, which carries NiiVue, is not installed; install what envs/requirements.lock lists")
    path = Path(package.submodule_search_locations[0], "static", "widget.js")
    text = path.read_text(encoding="utf-8")
    made = re.search(r'"Creating new Niivue instance"\).{0,200}?=new ([\w$]+)\(', text)
    body, exports, _ = text.rpartition("export{")
    if made is None or not exports:
        raise ValueError(f"{path} is not the one that is known; expected the version that envs/requirements.lock lists")
    # A page that is opened from disk can't import modules.
    return f"const Niivue = (() => {{\n{body}\nreturn {made[1]};\n}})();\n"


def _greys(volume: np.ndarray, brain: np.ndarray) -> np.ndarray:
    low, high = window(volume, brain)
    shares = np.clip((volume.astype(np.float32) - low) / (high - low), 0, 1)
    return np.where(brain, STEP * (1 + (shares * (GREYS - 2)).round()), 0).astype(np.uint8)


def _tissues(classes: np.ndarray) -> dict[str, list]:
    found = np.bincount(classes.ravel(), minlength=len(CLASSES))
    return {name: [index, TISSUES[name]] for index, name in enumerate(CLASSES) if index and found[index]}


def _focus(candidates: Sequence[np.ndarray | None]) -> np.ndarray:
    """The voxel in the middle of the first array (class indices or a mask) that is not all zeros."""
    for volume in candidates:
        if volume is not None and volume.any():
            return np.median(np.argwhere(volume), axis=0)
    return np.zeros(3)


def _nifti(volume: np.ndarray, affine: np.ndarray) -> str:
    image = nifti_of(np.asarray(volume, np.uint8), affine)
    image.header["cal_max"] = 255
    return base64.b64encode(gzip.compress(image.to_bytes(), 6, mtime=0)).decode()
