"""Tissue maps of a phantom on the grid of its preprocessed image."""

from pathlib import Path

import numpy as np

from glioseg.files import read_array
from glioseg.scan_facts import ScanFacts
from glioseg.synthesize.anatomy import BOX, SHAPE
from glioseg.volumes.boxes import slices
from glioseg.volumes.resample import resample


def cut_tissues(file: Path, facts: ScanFacts) -> np.ndarray:
    """Tissue maps (uint8, X, Y, Z, tissues) of a file that `synthesize` wrote, cropped and resampled as the image.

    facts: scan.json of the phantom. Raises ValueError if the file cannot be read.
    """
    maps = read_array(file, 4, mapped=True)
    whole = np.zeros((*SHAPE, maps.shape[-1]), np.uint8)
    whole[BOX] = maps
    spacing, target, size = facts["spacing_mm"], facts["target_spacing_mm"], facts["array_shape"][:3]
    found = [
        np.rint(resample(np.ascontiguousarray(tissue), spacing, target, size))
        for tissue in np.moveaxis(whole[slices(facts["crop"])], -1, 0)
    ]
    return np.stack(found, -1).astype(np.uint8)
