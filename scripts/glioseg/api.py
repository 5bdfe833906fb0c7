"""Segmenting one scan from Python, in files or arrays: `from glioseg import segment`."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np

from glioseg.choices import choose
from glioseg.labels import to_values, volumes_ml
from glioseg.model_files import CHOSEN, CUTS, SMALLEST, TEMPERATURE, models_in
from glioseg.predict.one_scan import find_scan, segment_scan, settings_of
from glioseg.predict.segment import MAPS
from glioseg.predict.sliding_window import AXES
from glioseg.volumes.orientation import voxel_ml
from glioseg.workflow.home import defaults


class Segmented(NamedTuple):
    """A segmented scan.

    segmentation: label map (X, Y, Z) uint8 on the scan's own grid, in the values of the label dialect `labels`. affine:
    4x4, voxel to world (mm). volumes_ml: volume of each region (WT, TC, ET) in ml. uncertainty: from 0 to 1, which is 1
    minus the mean of expected_dice, by region. maps: (X, Y, Z) float32, from 0 to 1, by name. warnings: sentences.
    """

    segmentation: np.ndarray
    affine: np.ndarray
    labels: str
    volumes_ml: dict[str, float]
    uncertainty: float
    expected_dice: dict[str, float]
    maps: dict[str, np.ndarray]
    warnings: list[str]


def segment(
    images: Mapping[str, object] | str | Path,
    models: Sequence[str | Path] | str | Path,
    affine: np.ndarray | None = None,
    labels: str | None = None,
    **settings: object,
) -> Segmented:
    """Segment one scan by the mean prediction of one or more models, as the command `segment` does.

    images: modality -> file, or modality -> array (X, Y, Z) with the affine (4x4, voxel to world in mm, as nibabel
    has it) of all; or the folder of one subject in a known layout. models: each a model.keras next to its
    settings.json, a bundle, or a results folder. labels: the label dialect to write, by default that of the
    subject's layout or else of the models. settings: overlap, flips, runtime and the thresholds
    (`CHOSEN`), by default those of `predict` in config.yaml, or the thresholds that the models' study chose; maps, by
    default none; threads, by default one for each CPU. Raises ValueError if the models or the images cannot be used,
    with the reason of the checks.
    """
    models = models_in(Path(place) for place in ([models] if isinstance(models, str | Path) else models))
    how = settings_of(_settings(settings), models)
    with tempfile.TemporaryDirectory() as folder:
        if not isinstance(images, str | Path):
            images = _as_files(images, affine, Path(folder))
        scan = find_scan(images, models, labels)
        facts, found, warnings = segment_scan("the scan", scan, models, how)
    size_ml = voxel_ml(facts["spacing_mm"])
    return Segmented(
        to_values(found.classes, scan.labels),
        np.array(facts["own"]["affine"]),
        scan.labels,
        volumes_ml(found.classes, scan.labels, size_ml),
        found.uncertainty["uncertainty"],
        found.uncertainty["expected_dice"],
        found.maps,
        warnings,
    )


def _settings(given: Mapping[str, object]) -> dict[str, object]:
    """All settings, with the defaults of those that are not given. Raises ValueError for an impossible one."""
    how = defaults("predict") | {"maps": (), "threads": len(os.sched_getaffinity(0))} | dict.fromkeys(CHOSEN)
    del how["layout"]
    for name, value in given.items():
        choose("segment", name, how)
        how[name] = value
    for name, known in (("flips", AXES), ("maps", MAPS)):
        for value in how[name]:
            choose(name, value, known)
    if not 0 <= how["overlap"] < 1:
        raise ValueError(f"overlap: expected a share from 0 to less than 1, found {how['overlap']}")
    for name in CUTS:
        if how[name] is not None and not 0 < how[name] < 1:
            raise ValueError(f"{name}: expected a probability between 0 and 1, found {how[name]}")
    for name, least in (*((name, 0) for name in SMALLEST), (TEMPERATURE, 0.1), ("threads", 1)):
        if how[name] is not None and not how[name] >= least:
            raise ValueError(f"{name}: expected at least {least}, found {how[name]}")
    return how


def _as_files(images: Mapping[str, object], affine: np.ndarray | None, folder: Path) -> list[tuple[str, str]]:
    """Pairs of a modality and its file. An array becomes a file in a folder, so that it is read and checked as one.

    Raises ValueError for anything but files without an affine, or 3-D arrays with an affine.
    """
    files = {name: str(image) for name, image in images.items() if isinstance(image, str | Path)}
    arrays = {name: np.asarray(image) for name, image in images.items() if name not in files}
    if not arrays:
        if affine is not None:
            raise ValueError("affine: the files have their own; give an affine only with arrays")
        return list(files.items())
    affine = np.asarray(affine, np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or not np.linalg.det(affine):
        raise ValueError(f"affine: expected an invertible matrix (4, 4) for the arrays, found {affine.tolist()}")
    for number, (name, array) in enumerate(arrays.items()):
        if array.ndim != 3 or array.dtype.kind not in "biuf" or not array.size:
            raise ValueError(f"{name}: expected an array (X, Y, Z) of real numbers, found {array.dtype} {array.shape}")
        files[name] = str(folder / f"{number}.nii")
        with np.errstate(over="ignore", invalid="ignore"):  # overflow becomes infinite, which a check finds
            nib.save(nib.Nifti1Image(array.astype(np.float32), affine), files[name])
    return list(files.items())
