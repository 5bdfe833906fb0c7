"""Match the true and predicted lesions of a region by the rules of BraTS 2023.

Source: github.com/rachitsaluja/BraTS-2023-Metrics, the organizers' own code, with its numbers for gliomas.
"""

import numpy as np
from scipy import ndimage

from glioseg.volumes.boxes import Box, bounding_box, grow, hull, slices

# True lesions whose surroundings touch count as one. Surroundings: three dilations over the 18 neighbors.
REACH = ndimage.generate_binary_structure(3, 2)
STEPS = 3
TOUCHING = ndimage.generate_binary_structure(3, 3)  # any of the 26 neighbors
IGNORED_MM3 = 50  # true lesions up to this volume count neither as found nor as missed


def match_lesions(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...]
) -> tuple[list[tuple[np.ndarray, np.ndarray]], int]:
    """Pair each true lesion with the predicted lesions that touch it or its surroundings; count those that touch none.

    truth, prediction: boolean 3-D arrays of one shape; spacing_mm: size of a voxel along each axis. A pair is two
    boolean arrays of one shape, cropped to both. The second is empty if the lesion was missed. A predicted lesion can
    belong to several true ones. True lesions up to `IGNORED_MM3` have no pair, but predictions that touch them are not
    false positives.
    """
    around = _surroundings(truth)
    predicted, count = ndimage.label(prediction, TOUCHING)
    # The surroundings of a lesion are connected, so their number identifies the lesion.
    both = prediction & (around > 0)
    lesion_of, part_of = np.divmod(np.unique(around[both].astype(np.int64) * (count + 1) + predicted[both]), count + 1)
    sizes_mm3 = np.bincount(around[truth]) * float(np.prod(spacing_mm))
    lesion_boxes, part_boxes = _boxes(around), _boxes(predicted)
    pairs = []
    for lesion in np.flatnonzero(sizes_mm3 > IGNORED_MM3):
        parts = part_of[lesion_of == lesion]
        box = slices(hull([lesion_boxes[lesion - 1], *(part_boxes[part - 1] for part in parts)]))
        pairs.append((truth[box] & (around[box] == lesion), np.isin(predicted[box], parts)))
    return pairs, count - len(np.unique(part_of))


def _surroundings(truth: np.ndarray) -> np.ndarray:
    """Return numbers (int32, same shape) from 1 on, one for each lesion with its surroundings; 0 elsewhere."""
    numbers = np.zeros(truth.shape, np.int32)
    if truth.any():
        box = slices(grow(bounding_box(truth), truth.shape, STEPS))
        ndimage.label(ndimage.binary_dilation(truth[box], REACH, STEPS), TOUCHING, output=numbers[box])
    return numbers


def _boxes(numbers: np.ndarray) -> list[Box]:
    """Return the box around each number from 1 on."""
    return [tuple((side.start, side.stop) for side in sides) for sides in ndimage.find_objects(numbers)]
