"""Compare distances between surfaces with results calculated by hand."""

import numpy as np
import pytest
from examples import ONE_MM, line, score, voxel

from glioseg.evaluate.surfaces import surface_areas


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


def test_surface_areas_of_small_solids() -> None:
    # Each corner of a cube of 2 x 2 x 2 mm is cut by a triangle of half edges; each of its six faces is a face of 1 mm²
    # between voxel centers; each edge of 1 mm is cut at 45 degrees between the middles of two faces' sides.
    solid = np.zeros((4, 4, 4), bool)
    solid[1:3, 1:3, 1:3] = True
    distances, areas = surface_areas(solid, solid, ONE_MM)
    assert not distances.any()
    assert areas.sum() / 2 == pytest.approx(6 * 1 + 12 * np.sqrt(0.5) + 8 * np.sqrt(3) / 8)
    # A row of voxels is a box without the ends, whatever the size of its voxels: only its middle grows with length.
    areas = {length: surface_areas(*[line(*range(length))] * 2, (2.0, 3.0, 4.0))[1].sum() / 2 for length in (2, 3, 4)}
    around = 2 * 4 * np.hypot(3 / 2, 4 / 2)
    assert areas[3] - areas[2] == pytest.approx(2 * around / 2) and areas[4] - areas[3] == pytest.approx(2 * around / 2)


@pytest.mark.filterwarnings("ignore:Please:DeprecationWarning")  # surface-distance calls SciPy by old names
@pytest.mark.parametrize("spacing_mm", [ONE_MM, (0.9, 1.3, 3.5)], ids=["isotropic", "anisotropic"])
def test_surface_areas_of_noise_against_another_package(spacing_mm: tuple) -> None:
    # Noise has every one of the 256 cubes of 2 x 2 x 2 voxels.
    reason = "surface-distance is not installed; it is in the test environment."
    surface_distance = pytest.importorskip("surface_distance", reason=reason)
    truth, prediction = np.random.default_rng(0).random((2, 30, 30, 30)) < 0.5
    theirs = surface_distance.compute_surface_distances(truth, prediction, spacing_mm)
    ours = dict(zip(("distances", "areas"), surface_areas(truth, prediction, spacing_mm), strict=True))
    for name, keys in (
        ("distances", ("distances_gt_to_pred", "distances_pred_to_gt")),
        ("areas", ("surfel_areas_gt", "surfel_areas_pred")),
    ):
        expected = np.concatenate([theirs[key] for key in keys])
        assert np.allclose(np.sort(ours[name]), np.sort(expected), rtol=1e-12)
