"""A true and a predicted region, the input of every metric."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from glioseg.evaluate.lesions import Lesion, Lesions, match_lesions
from glioseg.evaluate.surfaces import surface_areas, surface_distances
from glioseg.labels import region
from glioseg.volumes.boxes import bounding_box, slices
from glioseg.volumes.orientation import voxel_ml

# The diagonal of a 240 x 240 x 155 mm scan: the penalty for a region that is missed, or predicted although absent.
# It is the same on every grid, so that the scores of differently cropped data sets can be compared.
ABSENT_HD95_MM = 373.13


class Counts(NamedTuple):
    """Numbers of true positive, false positive, false negative and true negative voxels in the whole scan."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int


@dataclass(frozen=True)
class Pair:
    """A true and a predicted region, and quantities that several metrics use, each computed once.

    truth, prediction: boolean 3-D arrays of one shape, a box of the scan that holds both regions; spacing_mm: size of
    a voxel along each axis; voxels: number of voxels in the whole scan; start: index of the box's first voxel in it.
    """

    truth: np.ndarray
    prediction: np.ndarray
    spacing_mm: tuple[float, ...]
    voxels: int
    start: tuple[int, int, int] = (0, 0, 0)

    def __post_init__(self) -> None:
        kinds = self.truth.dtype, self.prediction.dtype
        if self.truth.shape != self.prediction.shape:
            shapes = f"{self.truth.shape} and {self.prediction.shape}"
            raise ValueError(f"truth and prediction: expected one shape, found {shapes}")
        if kinds != (bool, bool):
            raise ValueError(f"truth and prediction: expected booleans, found {kinds[0]} and {kinds[1]}")
        if len(self.spacing_mm) != self.truth.ndim:
            expected = f"expected {self.truth.ndim} values, one for each axis"
            raise ValueError(f"spacing_mm: {expected}, found {len(self.spacing_mm)}")

    @cached_property
    def counts(self) -> Counts:
        common = int(np.count_nonzero(self.truth & self.prediction))
        only_predicted = int(np.count_nonzero(self.prediction)) - common
        only_true = int(np.count_nonzero(self.truth)) - common
        return Counts(common, only_predicted, only_true, self.voxels - common - only_predicted - only_true)

    @cached_property
    def sizes_ml(self) -> tuple[float, float]:
        """The volumes of truth and prediction."""
        size_ml = voxel_ml(self.spacing_mm)
        common, only_predicted, only_true, _ = self.counts
        return (common + only_true) * size_ml, (common + only_predicted) * size_ml

    @cached_property
    def distances_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """The `surface_distances`; `ABSENT_HD95_MM` if one region is empty, 0 mm if both are."""
        if all(self.sizes_ml):
            return surface_distances(self.truth, self.prediction, self.spacing_mm)
        distance = np.array([ABSENT_HD95_MM if any(self.sizes_ml) else 0.0])
        return distance, distance

    @cached_property
    def surfaces(self) -> tuple[np.ndarray, np.ndarray]:
        """The `surface_areas` of both regions; none if one region is empty."""
        if all(self.sizes_ml):
            return surface_areas(self.truth, self.prediction, self.spacing_mm)
        return np.empty(0), np.empty(0)

    @cached_property
    def lesions(self) -> Lesions:
        """The `match_lesions` of both regions."""
        return match_lesions(self.truth, self.prediction, self.spacing_mm)

    def of(self, lesion: Lesion) -> "Pair":
        """A lesion as a pair of regions."""
        return Pair(lesion.truth, lesion.prediction, self.spacing_mm, self.voxels)


def region_pairs(
    truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple[float, ...], regions: Iterable[str]
) -> dict[str, Pair]:
    """Return the pair of each region of two arrays of class indices.

    regions: names of REGIONS, such as `regions_of` the label dialect of the truth. Raises ValueError if the shapes
    differ.
    """
    box = tumor_box(truth, prediction)
    start = tuple(side.start for side in box)
    pairs = {name: (region(truth[box], name), region(prediction[box], name)) for name in regions}
    return {name: Pair(*pair, spacing_mm, truth.size, start) for name, pair in pairs.items()}


def tumor_box(truth: np.ndarray, prediction: np.ndarray) -> tuple[slice, ...]:
    """Return the box around all voxels that are not background in at least one of two arrays of class indices.

    If all voxels are background, the box is the whole array. Raises ValueError if the shapes differ.
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"truth and prediction: expected one shape, found {truth.shape} and {prediction.shape}")
    return slices(bounding_box((truth | prediction) > 0))
