"""The content of the interactive viewer on a subject's page: volumes in a script, and the viewer NiiVue."""

import base64
import gzip
import importlib.util
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np

from glioseg.colors import ERRORS, TISSUES
from glioseg.labels import CLASSES, REGION_NAMES, region
from glioseg.plot.subjects.slices import window
from glioseg.preprocess.layers import Layers
from glioseg.volumes.boxes import bounding_box, cut
from glioseg.volumes.nifti import nifti_of, read_volume
from glioseg.volumes.orientation import to_lps

TRUTH, PREDICTION = "truth", "prediction"
DIFFERENCE = "difference"
GREYS, STEP = 64, 4  # as many as in figures; more would be noise, which does not compress


def read_overlays(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Maps written by `predict` (float32, 0 to 1) in LPS order, by file name."""
    return {path.name.partition(".")[0]: to_lps(*read_volume(path))[0] for path in paths}


def embedded(layers: Layers, overlays: Mapping[str, np.ndarray]) -> str:
    """A script that gives a page its volumes, as base64 of compressed uint8 NIfTI files cropped to brain and tumor.

    It is a script because a page opened from disk may run scripts but not read other files. overlays: name -> map from
    0 to 1 on the layers' grid. Greys are multiples of 4: 0 is outside the brain, 4 the darkest and 252 the brightest
    value in it, within the limits of `window`; overlays are 252 where they are 1. Only the affine of a file's header is
    used.
    """
    _, images, brain, affine, truth, predicted = layers
    labels = {name: classes for name, classes in ((TRUTH, truth), (PREDICTION, predicted)) if classes is not None}
    colors = {name: _tissues(classes) for name, classes in labels.items()}
    if len(labels) == 2:
        labels[DIFFERENCE] = difference(truth, predicted)
        colors[DIFFERENCE] = {name: [index, color] for index, (name, color) in enumerate(ERRORS.items(), start=1)}
    box = bounding_box(np.logical_or.reduce([brain, *(classes > 0 for classes in labels.values())]))
    inside = cut(brain, box)
    moved = affine @ nib.affines.from_matvec(np.eye(3), [low for low, _ in box])
    limits = {name: window(cut(volume, box), inside) for name, volume in images.items()}
    shown = {name: _greys(cut(volume, box), inside, limits[name]) for name, volume in images.items()}
    shown |= {name: cut(classes, box) for name, classes in labels.items()}
    # As many steps as greys; more would be noise, which does not compress.
    shown |= {name: (cut(values, box) * (GREYS - 1)).round() * STEP for name, values in overlays.items()}
    content = {
        "images": list(images),
        "layers": colors,
        "overlays": list(overlays),
        "regions": {name: REGION_NAMES[name] for name in overlays if name in REGION_NAMES},
        "windows": limits,
        "slices": _slice_numbers(affine, brain.shape),
        "focus_mm": nib.affines.apply_affine(affine, _focus([truth, predicted, brain])).tolist(),
        "volumes": {name: _nifti(volume, moved) for name, volume in shown.items()},
    }
    return f"const SCAN = {json.dumps(content)};\n"


def difference(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """The kind of difference between two arrays of class indices (uint8): its number in `ERRORS` from 1, or 0."""
    tumor = [region(classes, "WT") for classes in (truth, predicted)]
    return np.select([tumor[0] & ~tumor[1], ~tumor[0] & tumor[1], truth != predicted], [1, 2, 3]).astype(np.uint8)


def niivue() -> str:
    """NiiVue as a plain script that defines `Niivue`, taken from the package ipyniivue without its Jupyter part.

    Raises ValueError if the package is not installed or differs from the locked version.
    """
    package = importlib.util.find_spec("ipyniivue")  # found but not imported, because importing requires Jupyter
    if package is None:
        raise ValueError(
            "ipyniivue, which contains NiiVue, is not installed; install what envs/requirements.lock lists"
        )
    path = Path(package.submodule_search_locations[0], "static", "widget.js")
    text = path.read_text(encoding="utf-8")
    made = re.search(r'"Creating new Niivue instance"\).{0,200}?=new ([\w$]+)\(', text)
    body, exports, _ = text.rpartition("export{")
    if made is None or not exports:
        raise ValueError(
            f"{path}: expected the version of ipyniivue in envs/requirements.lock, found another; install that version"
        )
    # A page opened from disk cannot import modules.
    return f"const Niivue = (() => {{\n{body}\nreturn {made[1]};\n}})();\n"


def _greys(volume: np.ndarray, brain: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    low, high = limits
    shares = np.clip((volume.astype(np.float32) - low) / (high - low), 0, 1)
    return np.where(brain, STEP * (1 + (shares * (GREYS - 2)).round()), 0).astype(np.uint8)


def _tissues(classes: np.ndarray) -> dict[str, list]:
    found = np.bincount(classes.ravel(), minlength=len(CLASSES))
    return {name: [index, TISSUES[name]] for index, name in enumerate(CLASSES) if index and found[index]}


def _slice_numbers(affine: np.ndarray, shape: Sequence[int]) -> dict[str, list[float]]:
    """Plane -> the factors of x, y, z and 1 (in mm) in the index of its slice, and the number of slices."""
    rows = np.linalg.inv(affine)[:3].tolist()
    return {
        plane: [*row, count] for plane, row, count in zip(("sagittal", "coronal", "axial"), rows, shape, strict=True)
    }


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
