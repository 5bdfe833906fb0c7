"""Preprocessed subjects made of cubes, and their cohort."""

import json

import numpy as np

from glioseg.files import write_table
from glioseg.labels import CLASSES
from glioseg.split.cohort import COHORT_COLUMNS


def write_cohort(path, folds):
    write_table(path, COHORT_COLUMNS, [dict(zip(("subject", "fold", "has_mask"), row, strict=True)) for row in folds])
    return path


def facts(mask, **others):
    """Return the scan.json of a subject without tumor lost to cropping."""
    classes = {name: int((mask == index).sum()) for index, name in enumerate(CLASSES) if index in (1, 2, 3)}
    scan = {"labels": "brats2020", "missing_modalities": [], "classes": classes, "tumor_voxels_lost": 0}
    return {**scan, "spacing_mm": [1.0, 1.0, 1.0], "target_spacing_mm": [1.0, 1.0, 1.0], **others}


def write_subject(folder, seed, modalities, **others):
    """Write a brain made of nested cubes, where each class has its own intensity in every modality."""
    folder.mkdir(parents=True)
    mask = np.zeros((20, 20, 20), np.uint8)
    mask[4:16, 4:16, 4:16], mask[6:13, 6:13, 6:13], mask[7:12, 7:12, 7:12] = 2, 3, 1
    noise = np.random.default_rng(seed).normal(0, 0.1, (*mask.shape, len(modalities)))
    image = np.array([1.0, 2.0, 4.0, 6.0])[mask][..., None] + noise
    image[0] = 0
    np.save(folder / "image.npy", image.astype(np.float16))
    np.save(folder / "mask.npy", mask)
    (folder / "scan.json").write_text(json.dumps(facts(mask, modalities=modalities, **others)))
    return image, mask
