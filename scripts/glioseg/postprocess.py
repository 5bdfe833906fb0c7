"""What is changed in a segmentation after the network has spoken."""

import numpy as np

from glioseg.labels import CLASSES


def drop_small_enhancing(classes: np.ndarray, voxel_ml: float, smallest_ml: float) -> np.ndarray:
    """Class indices (same shape) in which enhancing tumor of less volume in all than smallest_ml became necrosis.

    A few false voxels in a patient without enhancing tumor cost the whole score of that region, while the core keeps
    its shape (Isensee et al. 2020, arXiv:2011.00848, who took 200 voxels of 1 mm). voxel_ml: volume of one voxel.
    """
    enhancing = classes == CLASSES.index("enhancing")
    if enhancing.sum() * voxel_ml >= smallest_ml:
        return classes
    return np.where(enhancing, np.uint8(CLASSES.index("necrosis")), classes)
