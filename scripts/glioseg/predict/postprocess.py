"""Remove tumor that is too small from a segmentation."""

import numpy as np

from glioseg.labels import CLASSES, region
from glioseg.volumes.boxes import Box, bounding_box, cut

# Least share of the tumor core that enhancing tumor has, where there is any. In the truths of eleven patients of BraTS
# 2013 and 2021, it is none or at least 24 %.
LEAST_SHARE = 0.05


def drop_small(classes: np.ndarray, voxel_ml: float, enhancing_ml: float, component_ml: float) -> np.ndarray:
    """Return class indices (same shape) after `drop_small_components`, then `drop_small_enhancing`."""
    return drop_small_enhancing(drop_small_components(classes, voxel_ml, component_ml), voxel_ml, enhancing_ml)


def drop_small_components(classes: np.ndarray, voxel_ml: float, smallest_ml: float) -> np.ndarray:
    """Return class indices (same shape) in which each connected tumor smaller than smallest_ml is background.

    voxel_ml: volume of one voxel.
    """
    if not smallest_ml:
        return classes
    box, numbers = components(classes)
    small = np.bincount(numbers.ravel()) * voxel_ml < smallest_ml
    small[0] = False
    kept = classes.copy()
    cut(kept, box)[small[numbers]] = CLASSES.index("background")
    return kept


def components(classes: np.ndarray) -> tuple[Box, np.ndarray]:
    """Return the box around all tumor, and inside it the number (from 1) of each voxel's connected tumor, 0 elsewhere.

    Voxels that share a corner are connected. Without tumor, the box is the whole array.
    """
    # Imported here, because every prediction loads this module and few need SciPy.
    from scipy import ndimage

    tumor = region(classes, "WT")
    box = bounding_box(tumor)
    return box, ndimage.label(cut(tumor, box), np.ones((3, 3, 3)))[0]


def too_little(enhancing_ml: np.ndarray, core_ml: np.ndarray, smallest_ml: float) -> np.ndarray:
    """Whether enhancing tumor is below smallest_ml in total, or below `LEAST_SHARE` of the core. 0 ml keeps any."""
    return (enhancing_ml < smallest_ml) | ((smallest_ml > 0) & (enhancing_ml < LEAST_SHARE * core_ml))


def drop_small_enhancing(classes: np.ndarray, voxel_ml: float, smallest_ml: float) -> np.ndarray:
    """Return class indices (same shape) in which enhancing tumor is necrosis if there is too little of it.

    In a patient without enhancing tumor, a few false positive voxels cost the whole score of that region. The change
    leaves the tumor core as it is (Isensee et al. 2020, arXiv:2011.00848, with a threshold of 200 voxels of 1 mm).
    voxel_ml: volume of one voxel.
    """
    enhancing = classes == CLASSES.index("enhancing")
    core_ml = np.count_nonzero(region(classes, "TC")) * voxel_ml
    if not too_little(enhancing.sum() * voxel_ml, core_ml, smallest_ml):
        return classes
    return np.where(enhancing, np.uint8(CLASSES.index("necrosis")), classes)
