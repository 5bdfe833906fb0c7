"""Compare distances between surfaces with results calculated by hand."""

import numpy as np
import pytest
from examples import ONE_MM, line, score, voxel


@pytest.mark.parametrize(
    ("a", "b", "spacing_mm", "expected"),
    [
        ((0, 0, 0), (3, 0, 0), ONE_MM, 3),
        ((0, 0, 0), (0, 3, 0), (1, 2, 5), 6),
        ((0, 0, 0), (1, 2, 3), (3, 2, 4), 13),  # 3, 4 and 12 mm
        ((3, 3, 3), (2, 3, 3), (0.5, 1, 1), 0.5),
    ],
)
def test_surfaces_of_single_voxels_are_their_distance_apart(
    a: tuple, b: tuple, spacing_mm: tuple, expected: float
) -> None:
    for metric in ("hd95_mm", "assd_mm"):
        assert score(metric, voxel(*a), voxel(*b), spacing_mm) == pytest.approx(expected)
        assert score(metric, voxel(*b), voxel(*a), spacing_mm) == pytest.approx(expected)


def test_surface_distances_pool_both_directions() -> None:
    # Every voxel of a row is surface. From the truth (0, 1): 0, 0 mm; from the prediction (0, 1, 9): 0, 0, 8 mm.
    # Pooled 0, 0, 0, 0, 8: rank 0.95 * 4 = 3.8, so 0.8 * 8 = 6.4. The larger directed percentile is 0.9 * 8 = 7.2.
    assert score("hd95_mm", line(0, 1), line(0, 1, 9)) == pytest.approx(6.4)
    # The mean of the directed means 0 and 8/3 would be 4/3 instead.
    assert score("assd_mm", line(0, 1), line(0, 1, 9)) == pytest.approx(8 / 5)


def test_hd95_measures_between_surfaces_not_volumes() -> None:
    solid = np.zeros((7, 7, 7), bool)
    solid[1:6, 1:6, 1:6] = True
    shell = solid.copy()
    shell[2:5, 2:5, 2:5] = False
    assert score("hd95_mm", solid, shell) == 0 and score("dice", solid, shell) == pytest.approx(2 * 98 / (125 + 98))
