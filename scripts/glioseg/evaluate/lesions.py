"""Match the true and predicted lesions of a region by the rules of BraTS 2023.

Source: github.com/rachitsaluja/BraTS-2023-Metrics, the organizers' own code, with its numbers for gliomas.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from glioseg.volumes.boxes import Box, bounding_box, grow, hull, slices

# True lesions whose surroundings touch count as one. Surroundings: three dilations over the 18 neighbors.
REACH = ndimage.generate_binary_structure(3, 2)
STEPS = 3
TOUCHING = ndimage.generate_binary_structure(3, 3)  # any of the 26 neighbors
IGNORED_MM3 = 50  # true lesions up to this volume count neither as found nor as false negative


class Lesion(NamedTuple):
    """A true lesion with the predicted lesions that touch it or its surroundings, or a predicted one that touches none.

    truth, prediction: boolean 3-D arrays of one shape, cropped to both; start: index of their first voxel. A false
    negative lesion has an empty prediction, and a false positive one an empty truth.
    """

    truth: np.ndarray
    prediction: np.ndarray
    start: tuple[int, int, int]


class Lesions(NamedTuple):
    """The lesions of a region: true ones; true ones too small to count (`IGNORED_MM3`); and false positive ones."""

    true: list[Lesion]
    ignored: list[Lesion]
    false_positive: list[Lesion]


def match_lesions(truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...]) -> Lesions:
    """Match each true lesion with the predicted lesions that touch it or its surroundings.

    truth, prediction: boolean 3-D arrays of one shape; spacing_mm: size of a voxel along each axis. A predicted lesion
    can belong to several true ones. One that touches a true lesion of at most `IGNORED_MM3` is not a false
    positive.
    """
    around = _surroundings(truth)
    predicted, count = ndimage.label(prediction, TOUCHING)
    # The surroundings of a lesion are connected, so their number identifies the lesion.
    both = prediction & (around > 0)
    lesion_of, part_of = np.divmod(np.unique(around[both].astype(np.int64) * (count + 1) + predicted[both]), count + 1)
    sizes_mm3 = np.bincount(around[truth]) * float(np.prod(spacing_mm))
    lesion_boxes, part_boxes = _boxes(around), _boxes(predicted)
    found = Lesions([], [], [])
    for lesion in range(1, len(lesion_boxes) + 1):
        parts = part_of[lesion_of == lesion]
        sides = hull([lesion_boxes[lesion - 1], *(part_boxes[part - 1] for part in parts)])
        box, start = slices(sides), tuple(low for low, _ in sides)
        matched = Lesion(truth[box] & (around[box] == lesion), np.isin(predicted[box], parts), start)
        (found.true if sizes_mm3[lesion] > IGNORED_MM3 else found.ignored).append(matched)
    for part in np.setdiff1d(np.arange(1, count + 1), part_of):
        sides = part_boxes[part - 1]
        inside = predicted[slices(sides)] == part
        found.false_positive.append(Lesion(np.zeros_like(inside), inside, tuple(low for low, _ in sides)))
    return found


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
