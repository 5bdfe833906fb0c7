"""Calibrate what predict wrote of a subject: the maps of its regions, and the uncertainty of its segmentation."""

import shutil
from pathlib import Path

import numpy as np

from glioseg.files import whole
from glioseg.labels import EVERYWHERE, REGIONS, region
from glioseg.predict.calibrate.temperature import calibrated
from glioseg.predict.decide import expected_dice
from glioseg.volumes.nifti import open_nifti, take_volume, write_map
from glioseg.volumes.orientation import spacing_mm, voxel_ml


def calibrate_subject(folder: Path, output: Path, classes: np.ndarray, temperature: float) -> dict:
    """Write a folder of maps, those of regions calibrated, into another one; return the uncertainty and temperature.

    folder: of maps that predict wrote, WT, TC and ET among them; the others are copied. classes: class indices of the
    segmentation, on the grid of the maps. The uncertainty is that of `decide.uncertainty`, from the maps.
    """
    dice = {}
    for path in sorted(folder.glob("*.nii.gz")):
        name = path.name.removesuffix(".nii.gz")
        if name not in REGIONS:
            with whole(output / path.name) as partial:
                shutil.copyfile(path, partial)
            continue
        image = open_nifti(path)
        values, affine = take_volume(image, 0)
        probabilities = calibrated(values.astype(np.float32), temperature)
        write_map(output / path.name, probabilities, affine, image.forms)
        if name in EVERYWHERE:
            dice[name] = expected_dice(probabilities, region(classes, name), voxel_ml(spacing_mm(affine)))
    expected = {name: dice[name] for name in EVERYWHERE}
    return {"uncertainty": 1 - sum(dice.values()) / len(dice), "expected_dice": expected, "temperature": temperature}
