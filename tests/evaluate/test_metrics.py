"""Compare metrics with results calculated by hand, and with other implementations on special cases of lesions."""

import numpy as np
import pytest
import SimpleITK as sitk
from examples import EMPTY, ONE_MM, by_the_challenge, score, voxel
from scipy import ndimage

from glioseg.evaluate.metrics import CLASS_METRICS, METRICS, score_classes, score_regions
from glioseg.evaluate.region_pair import ABSENT_HD95_MM
from glioseg.labels import CLASSES, REGIONS, region, regions_of

FOUND = {"dice": 1, "iou": 1, "sensitivity": 1, "specificity": 1, "precision": 1, "hd95_mm": 0, "assd_mm": 0}
FOUND |= {
    "nsd_05mm": 1,
    "nsd_1mm": 1,
    "volume_difference_ml": 0,
    "volume_difference_percent": 0,
    "lesion_dice": 1,
    "lesion_hd95_mm": 0,
}
MISSED = {"dice": 0, "iou": 0, "sensitivity": 0, "specificity": 1, "precision": 0, "hd95_mm": 373.13, "assd_mm": 373.13}
MISSED |= {"nsd_05mm": 0, "nsd_1mm": 0}


@pytest.mark.parametrize(
    ("truth", "prediction", "expected"),
    [
        (EMPTY, EMPTY, FOUND),
        (
            EMPTY,
            voxel(1, 1, 1),
            {**MISSED, "specificity": 63 / 64, "volume_difference_ml": 0.001, "volume_difference_percent": 100}
            | {"lesion_dice": 0, "lesion_hd95_mm": 374},
        ),
        # A lesion of 1 voxel is ignored because it is small; one of 64 voxels counts as missed.
        (
            voxel(1, 1, 1),
            EMPTY,
            {**MISSED, "volume_difference_ml": -0.001, "volume_difference_percent": -100}
            | {"lesion_dice": 1, "lesion_hd95_mm": 0},
        ),
        (
            ~EMPTY,
            EMPTY,
            {**MISSED, "volume_difference_ml": -0.064, "volume_difference_percent": -100}
            | {"lesion_dice": 0, "lesion_hd95_mm": 374},
        ),
        (~EMPTY, ~EMPTY, FOUND),
    ],
    ids=["both empty", "truth empty", "prediction empty", "prediction empty, large truth", "both full"],
)
def test_absent_regions(truth: np.ndarray, prediction: np.ndarray, expected: dict[str, float]) -> None:
    assert {name: score(name, truth, prediction) for name in METRICS} == expected
    if not prediction.any() and truth.all():
        # A failed subject scores as if nothing was predicted, or worse.
        failed = {name: metric.failed for name, metric in METRICS.items() if metric.failed is not None}
        assert set(METRICS) - set(failed) == {"volume_difference_ml"} and failed.pop("specificity") == 0
        assert failed.items() <= expected.items()


def test_only_specificity_depends_on_the_background() -> None:
    truth, prediction = np.zeros((9, 8, 7), np.uint8), np.zeros((9, 8, 7), np.uint8)
    truth[2:6, 2:7, 2:6], prediction[3:6, 1:7, 2:5] = 3, 3
    padded = [np.pad(classes, ((40, 7), (0, 13), (5, 5))) for classes in (truth, prediction)]
    tight, wide = (score_regions(*pair, ANISOTROPIC_MM, ["WT"])["WT"] for pair in ((truth, prediction), padded))
    assert tight.pop("specificity") < wide.pop("specificity") < 1
    assert tight == wide


def test_score_regions_by_hand() -> None:
    # Classes 1 necrosis, 2 edema, 3 enhancing; voxels of 2 * 5 * 10 mm = 0.1 ml.
    truth, prediction = np.zeros((10, 1, 1), np.uint8), np.zeros((10, 1, 1), np.uint8)
    truth[:6, 0, 0] = [2, 2, 1, 1, 3, 3]
    prediction[:6, 0, 0] = [2, 2, 2, 1, 1, 3]
    scores = score_regions(truth, prediction, (2.0, 5.0, 10.0), regions_of(["brats2020"]))
    assert list(scores) == ["WT", "TC", "ET"]
    assert {name: scores[name]["dice"] for name in scores} == pytest.approx({"WT": 1, "TC": 6 / 7, "ET": 2 / 3})
    assert {name: scores[name]["truth_ml"] for name in scores} == pytest.approx({"WT": 0.6, "TC": 0.4, "ET": 0.2})
    assert scores["TC"]["predicted_ml"] == pytest.approx(0.3)
    # ET: truth 4 and 5, prediction 5, 2 mm apart: distances 2, 0, 0 mm; rank 0.95 * 2 = 1.9, so 0.9 * 2.
    assert scores["ET"]["hd95_mm"] == pytest.approx(1.8)
    assert set(scores["WT"]) == {*METRICS, "truth_ml", "predicted_ml"}
    # Necrosis: truth 2 and 3, prediction 3 and 4. Edema: truth 0 and 1, prediction 0, 1 and 2.
    classes = score_classes(truth, prediction, (2.0, 5.0, 10.0), CLASSES[1:4])
    expected = {"necrosis": 1 / 2, "edema": 4 / 5, "enhancing": 2 / 3}
    assert {name: classes[name]["dice"] for name in classes} == pytest.approx(expected)
    assert classes["edema"]["precision"] == pytest.approx(2 / 3) and classes["edema"]["sensitivity"] == 1
    assert classes["edema"]["predicted_ml"] == pytest.approx(0.3)
    assert set(classes["edema"]) == {*CLASS_METRICS, "truth_ml", "predicted_ml"}


def test_a_scan_without_tumor_is_scored() -> None:
    nothing = np.zeros((5, 6, 7), np.uint8)
    assert score_regions(nothing, nothing, ONE_MM, ["ET"])["ET"] == {**FOUND, "truth_ml": 0, "predicted_ml": 0}
    assert score_classes(nothing, nothing, ONE_MM, ["edema"])["edema"]["dice"] == 1


def test_the_cavity_is_a_region_of_its_own_and_the_cyst_part_of_the_core() -> None:
    cavity, cyst = CLASSES.index("cavity"), CLASSES.index("cyst")
    truth, prediction = np.zeros((10, 1, 1), np.uint8), np.zeros((10, 1, 1), np.uint8)
    truth[:5, 0, 0] = [2, 2, cyst, cavity, cavity]
    prediction[:5, 0, 0] = [2, 2, 1, cavity, 2]
    scores = score_regions(truth, prediction, ONE_MM, regions_of(["brats2024"]))
    # WT: 3 true and 4 predicted voxels, 3 in common. RC: 2 true and 1 predicted.
    expected = {"WT": 6 / 7, "TC": 1, "ET": 1, "RC": 2 / 3}
    assert {name: scores[name]["dice"] for name in scores} == pytest.approx(expected)
    assert score_regions(truth, prediction, ONE_MM, []) == {}


def lesion(rng: np.random.Generator, shape: tuple, center: tuple, radius: float) -> np.ndarray:
    """Return a ball with an irregular border."""
    distance = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(np.indices(shape), center, strict=True)))
    return distance + 4 * ndimage.gaussian_filter(rng.standard_normal(shape), 1.5, mode="nearest") < radius


def tumor(rng: np.random.Generator, shape: tuple, center: tuple, radius: float) -> np.ndarray:
    """Return class indices of three nested lesions: edema around enhancing tumor around necrosis."""
    classes = np.zeros(shape, np.uint8)
    for tissue, share in ((2, 1), (3, 0.7), (1, 0.45)):
        classes[lesion(rng, shape, center, share * radius)] = tissue
    return classes


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(7)
    shape = (34, 30, 26)
    empty = np.zeros(shape, np.uint8)
    one, neighbor = empty.copy(), empty.copy()
    one[20, 9, 13], neighbor[20, 10, 14] = 3, 3
    truth = tumor(rng, shape, (15, 14, 12), 9)
    no_enhancement = np.where(truth == 3, 1, truth)
    two = np.maximum(tumor(rng, shape, (8, 10, 12), 6), tumor(rng, shape, (20, 10, 12), 6))
    return {
        "overlapping": (truth, tumor(rng, shape, (17, 13, 13), 8)),
        "equal": (truth, truth),
        "apart": (tumor(rng, shape, (8, 8, 8), 6), tumor(rng, shape, (26, 22, 18), 5)),
        "touching lesions": (two, tumor(rng, shape, (14, 10, 12), 8)),
        "at the edge": (tumor(rng, shape, (0, 14, 25), 9), tumor(rng, shape, (1, 15, 24), 9)),
        "one voxel each": (one, neighbor),
        "one voxel against a tumor": (truth, one),
        "no enhancement in the truth": (no_enhancement, truth),
        "no enhancement in the prediction": (truth, no_enhancement),
        "no enhancement in either": (no_enhancement, np.roll(no_enhancement, 2, axis=1)),
        "nothing predicted": (truth, empty),
        "nothing there": (empty, truth),
        "both empty": (empty, empty),
    }


PAIRS = pairs()
ANISOTROPIC_MM = (0.9, 1.3, 3.5)


def by_simpleitk(truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple) -> dict[str, float]:
    """Return scores of two non-empty regions from ITK's overlap, contour and distance filters."""
    images = [sitk.GetImageFromArray(mask.T.astype(np.uint8)) for mask in (truth, prediction)]
    for image in images:
        image.SetSpacing(spacing_mm)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images[::-1])
    # A border of zeros, because ITK finds no contour where a region touches the edge of the image.
    padded = [sitk.ConstantPad(image, [1] * 3, [1] * 3) for image in images]
    contours = [sitk.BinaryContour(image, fullyConnected=False) for image in padded]
    distances = [
        sitk.GetArrayFromImage(sitk.Abs(sitk.SignedMaurerDistanceMap(far, False, False, True)))[
            sitk.GetArrayFromImage(near) > 0
        ]
        for near, far in (contours, contours[::-1])
    ]
    return {
        "dice": overlap.GetDiceCoefficient(),
        "iou": overlap.GetJaccardCoefficient(),
        "precision": 1 - overlap.GetFalseDiscoveryRate(),
        "sensitivity": 1 - overlap.GetFalseNegativeError(),
        "hd95_mm": float(np.percentile(np.concatenate(distances), 95)),
    }


def by_medpy(truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple) -> dict[str, float]:
    """Return scores of two non-empty regions from MedPy, the package behind the scores of BraTS 2020."""
    binary = pytest.importorskip("medpy.metric.binary", reason="MedPy is not installed; it is in the test environment.")
    return {
        "dice": binary.dc(prediction, truth),
        "iou": binary.jc(prediction, truth),
        "precision": binary.precision(prediction, truth),
        "sensitivity": binary.sensitivity(prediction, truth),
        "specificity": binary.specificity(prediction, truth),
        "volume_difference_percent": 100 * binary.ravd(prediction, truth),
        "hd95_mm": binary.hd95(prediction, truth, voxelspacing=spacing_mm),
        "assd_mm": binary.assd(prediction, truth, voxelspacing=spacing_mm),
    }


def by_surface_distance(truth: np.ndarray, prediction: np.ndarray, spacing_mm: tuple) -> dict[str, float]:
    """Return scores of two non-empty regions from DeepMind's surface-distance."""
    reason = "surface-distance is not installed; it is in the test environment."
    surface_distance = pytest.importorskip("surface_distance", reason=reason)
    surfaces = surface_distance.compute_surface_distances(truth, prediction, spacing_mm)
    within = surface_distance.compute_surface_dice_at_tolerance
    return {name: within(surfaces, tolerance_mm) for name, tolerance_mm in (("nsd_05mm", 0.5), ("nsd_1mm", 1))}


@pytest.mark.filterwarnings("ignore:Please:DeprecationWarning")  # surface-distance calls SciPy by old names
@pytest.mark.parametrize("other", [by_simpleitk, by_medpy, by_surface_distance])
@pytest.mark.parametrize("spacing_mm", [ONE_MM, ANISOTROPIC_MM], ids=["isotropic", "anisotropic"])
@pytest.mark.parametrize("pair", PAIRS)
def test_scores_against_other_packages(pair: str, spacing_mm: tuple, other) -> None:
    ours = score_regions(*PAIRS[pair], spacing_mm, REGIONS)
    for name in REGIONS:  # RC is in none of the pairs, and so tests two empty regions
        truth, prediction = (region(classes, name) for classes in PAIRS[pair])
        if truth.any() and prediction.any():
            theirs = other(truth, prediction, spacing_mm)
            assert {metric: ours[name][metric] for metric in theirs} == pytest.approx(theirs, rel=1e-5, abs=1e-5)
        else:
            absent = (0, ABSENT_HD95_MM) if truth.any() or prediction.any() else (1, 0)
            assert (ours[name]["dice"], ours[name]["hd95_mm"]) == (ours[name]["iou"], ours[name]["assd_mm"]) == absent


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("pair", PAIRS)
def test_dice_and_hd95_against_the_code_of_the_challenge(pair: str, tmp_path, monkeypatch) -> None:
    """brats-evaluation gives the same Dice and HD95. Its conventions differ: since 2023 it scores single lesions.

    A region absent from both is left out (NaN). Without any overlap the distance is infinite, read as 373, even if both
    regions exist. HD95 of whole regions is in voxels, so only scans of 1 mm can be compared.
    """
    theirs = by_the_challenge(PAIRS[pair], tmp_path, monkeypatch)
    ours = score_regions(*PAIRS[pair], ONE_MM, regions_of(["brats2023"]))
    for name in ours:
        their_dice, their_hd95 = (theirs[name.lower()][f"global_bin_{metric}"] for metric in ("dsc", "hd95"))
        if np.isnan(their_dice):
            assert ours[name]["truth_ml"] == ours[name]["predicted_ml"] == 0
        elif np.isinf(their_hd95):
            assert ours[name]["dice"] == their_dice == 0
        else:
            assert (ours[name]["dice"], ours[name]["hd95_mm"]) == pytest.approx((their_dice, their_hd95), rel=1e-9)
