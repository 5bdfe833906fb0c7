"""What is changed in a segmentation after the network has spoken."""

import numpy as np

from glioseg.labels import CLASSES, region
from glioseg.volumes.boxes import Box, bounding_box, cut


def drop_small(classes: np.ndarray, voxel_ml: float, enhancing_ml: float, component_ml: float) -> np.ndarray:
    """Class indices (same shape) without connected tumors and, after that, enhancing tumor that are too small."""
    return drop_small_enhancing(drop_small_components(classes, voxel_ml, component_ml), voxel_ml, enhancing_ml)


def drop_small_components(classes: np.ndarray, voxel_ml: float, smallest_ml: float) -> np.ndarray:
    """Class indices (same shape) in which connected tumor of less volume than smallest_ml became background.

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
    """The box of all tumor in class indices, and in it the number from 1 of each voxel's connected tumor, 0 elsewhere.

    Voxels that share a corner connect. No tumor: the box of the whole array.
    """
    # Not above: every prediction would load it, and few need it.
    from scipy import ndimage

    tumor = region(classes, "WT")
    box = bounding_box(tumor)
    return box, ndimage.label(cut(tumor, box), np.ones((3, 3, 3)))[0]


def drop_small_enhancing(classes: np.ndarray, voxel_ml: float, smallest_ml: float) -> np.ndarray:
    """Class indices (same shape) in which enhancing tumor of less volume in all than smallest_ml became necrosis.

    A few false voxels in a patient without enhancing tumor cost the whole score of that region, while the core keeps
    its shape (Isensee et al. 2020, arXiv:2011.00848, who took 200 voxels of 1 mm). voxel_ml: volume of one voxel.
    """
    enhancing = classes == CLASSES.index("enhancing")
    if enhancing.sum() * voxel_ml >= smallest_ml:
        return classes
    return np.where(enhancing, np.uint8(CLASSES.index("necrosis")), classes)
