"""Each check fires with a sentence that names things, and is silent on good data."""

import nibabel as nib
import numpy as np
import pytest
from conftest import tiny_subject
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from glioseg.labels import CLASSES, to_classes
from glioseg.preprocess import checks, plausibility
from glioseg.preprocess.findings import CHECKS
from glioseg.synthesize.phantoms import MODALITIES, phantom

LPS = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]])
WARNED = {"far_spacing", "not_skull_stripped", "flipped", "swapped"}


def turned(degrees, spacing=1.0):
    """An affine whose grid is turned about the patient's long axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, -sine, 0, 0], [sine, cosine, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    return rotation @ LPS @ np.diag([spacing, spacing, spacing, 1])


@pytest.fixture(scope="module")
def head():
    """Volumes (float32), brain and class indices of a phantom with enhancing tumor."""
    images, mask = phantom("phantom_005", 42)
    return as_read(images), images["t1"] != 0, to_classes(mask, "brats2020")


def as_read(images):
    """Images as they come from files: float32, the first axis fastest."""
    return {name: np.asfortranarray(image, np.float32) for name, image in images.items()}


def test_what_only_looks_odd_warns_and_all_else_excludes():
    assert {name for name, verdict in CHECKS.items() if verdict == "warned"} == WARNED
    assert set(CHECKS.values()) == {"warned", "excluded"}


def test_missing():
    assert checks.missing(["flair", "t2"], ["flair"]) == "no file for t2; expected flair, t2, found flair"
    assert "found none" in checks.missing(["flair"], [])
    assert checks.missing(["flair"], ["flair", "t2"]) is None


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.full((4, 4), np.nan), "the affine of t1 is not finite"),
        (np.diag([1.0, 0, 1, 1]), "not invertible"),
        (np.diag([1e300, 1, 1, 1]), "not finite"),
        (np.diag([1.0, 1, 50, 1]), "the voxels of t1 measure 1 x 1 x 50 mm; expected 0.1 to 20 mm"),
        (np.diag([1e-3, 1, 1, 1]), "measure 0.001 x 1 x 1 mm"),
        (np.array([[1.0, 0.9, 0, 0], [0, 0.1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "axes of t1 are not perpendicular"),
    ],
)
def test_geometry(affine, words):
    assert words in checks.geometry("t1", affine)
    for good in (LPS, turned(20), turned(45, 0.5), np.diag([0.9, 1.2, 5, 1])):
        assert checks.geometry("t1", good) is None


@given(arrays(np.float64, (4, 4), elements=st.floats(width=64)))
def test_geometry_has_a_sentence_for_any_numbers(affine):
    sentence = checks.geometry("t1", affine)
    if sentence is None:
        assert np.isfinite(np.linalg.inv(affine[:3, :3])).all()
        assert checks.affines({"t1": affine, "t2": affine}) is None
    else:
        assert "t1" in sentence


def test_shapes():
    sentence = checks.shapes({"flair": (2, 2, 2), "t1": (2, 2, 2), "seg": (2, 2, 3)})
    assert sentence == "seg has shape 2x2x3 but flair has 2x2x2; export all on one grid"
    assert checks.shapes({"flair": (2, 2, 2), "seg": (2, 2, 2)}) is None


def test_orientations():
    ras = np.diag([1.0, 1, 1, 1])
    assert "t2 is stored as RAS but flair as LPS" in checks.orientations({"flair": LPS, "t2": ras})
    assert checks.orientations({"flair": LPS, "t2": turned(20)}) is None


def test_orientations_compares_directions_where_rounding_would_rename_the_axes():
    one, other = turned(44.9), turned(45.1)
    assert nib.aff2axcodes(one) != nib.aff2axcodes(other)
    assert checks.orientations({"flair": one, "t2": other}) is None


def test_spacings():
    sentence = checks.spacings({"flair": LPS, "t2": LPS @ np.diag([1, 1, 2, 1])})
    assert "the voxels of t2 measure 1 x 1 x 2 mm but those of flair 1 x 1 x 1 mm" in sentence
    assert checks.spacings({"flair": LPS, "t2": LPS * 1.001}) is None


def test_affines():
    shifted = LPS.copy()
    shifted[0, 3] = 2
    sentence = "the affine of t2 differs from that of flair by up to 2 mm; register them first"
    assert checks.affines({"flair": LPS, "t2": shifted}) == sentence
    assert "seg differs" in checks.affines({"flair": LPS, "seg": turned(1)})
    # A header that was written with four digits after the point.
    assert checks.affines({"flair": turned(20), "t2": turned(20).round(4)}) is None


def test_finite():
    volume = np.ones((4, 4, 4), np.float32)
    assert checks.finite("t1", volume) is None
    # The sum of these leaves float32; none of them does.
    assert checks.finite("t1", volume * np.float32(3e38)) is None
    volume[0, 0, 0], volume[1, 1, 1], volume[2, 2, 2] = np.nan, np.inf, -np.inf
    assert "t1 has 3 voxels that are NaN or infinite" in checks.finite("t1", volume)


def test_constant():
    volume = np.full((5, 5, 5), 3, np.float32)
    assert checks.constant("t1", volume) == "t1 is empty: every voxel is 3"
    assert "t1 has no voxels: its shape is 0x5x5" in checks.constant("t1", volume[:0])
    volume[1, 2, 3] = 4
    assert checks.constant("t1", volume) is None


def test_mask_fractional():
    mask = np.zeros((5, 5, 5), np.float32)
    mask[2], mask[3] = 1, 4
    # Header scaling leaves such a value.
    mask[2, 2, 2] = 0.9999
    assert checks.mask_fractional(mask) is None
    mask[2, 2, 3] = 0.5
    assert "between the whole numbers, such as 0.5" in checks.mask_fractional(mask)


def test_mask_values_names_the_dialects_that_would_fit():
    mask = np.array([[[0, 1, 2, 3]]], np.float32)
    sentence = checks.mask_values(mask, "brats2020")
    assert "the mask holds 3, which brats2020 does not have (expected 0, 1, 2, 4)" in sentence
    assert "brats2023 or brats2024" in sentence
    assert "no known dialect fits" in checks.mask_values(mask * 10, "brats2020")
    assert checks.mask_values(mask, "brats2023") is None


def test_mask_empty():
    classes = np.zeros((5, 5, 5), np.uint8)
    assert "the mask is empty" in checks.mask_empty(classes)
    classes[1, 1, 1] = 1
    assert checks.mask_empty(classes) is None


def test_mask_outside():
    brain = np.zeros((20, 20, 20), bool)
    brain[:, :, :10] = True
    classes = np.zeros(brain.shape, np.uint8)
    assert checks.mask_outside(classes, brain) is None
    classes[4:8, 4:8, 2:10] = CLASSES.index("edema")
    assert checks.mask_outside(classes, brain) is None
    classes[4:8, 4:8, 10:18] = CLASSES.index("cavity")
    assert checks.mask_outside(classes, brain) is None
    classes[4:8, 4:8, 10:18] = CLASSES.index("necrosis")
    assert "50 % of the tumor mask lies outside the brain" in checks.mask_outside(classes, brain)


def test_tumor_share():
    assert "0.50 % of the crop is tumor; expected at least 1 %" in checks.tumor_share(0.5, 1.0)
    assert checks.tumor_share(1.0, 1.0) is None


def test_far_spacing():
    assert "the voxels measure 0.9 x 0.9 x 5 mm and are resampled to 1 mm" in plausibility.far_spacing(
        (0.9, 0.9, 5.0), 1.0
    )
    assert "0.5 x 1 x 1" in plausibility.far_spacing((0.5, 1.0, 1.0), 1.0)
    assert plausibility.far_spacing((0.9, 1.2, 1.4), 1.0) is None


def test_not_skull_stripped(head):
    volumes, _, _ = head
    backgrounds = dict.fromkeys(volumes, 0.0)
    assert plausibility.not_skull_stripped(volumes, backgrounds, (1.0, 1.0, 1.0)) is None
    sentence = plausibility.not_skull_stripped(volumes, backgrounds | {"t1": None, "t2": None}, (1.0, 1.0, 1.0))
    assert "no constant background around the brain in t1, t2" in sentence
    # The same voxels twice as large are no brain any more.
    sentence = plausibility.not_skull_stripped(volumes, backgrounds, (2.0, 1.0, 1.0))
    assert "flair shows 3.2 liters, a brain fills 2.2 at most" in sentence


@pytest.mark.parametrize("labelled", [True, False])
def test_good_volumes_raise_no_suspicion(head, labelled):
    volumes, brain, classes = head
    classes = classes if labelled else None
    subsets = (MODALITIES, ("flair", "t1ce", "t2"), ("flair", "t1ce"), ("t2",))
    for names in subsets:
        some = {name: volumes[name] for name in names}
        assert plausibility.flipped(some, brain, classes) is None, names
        assert plausibility.swapped(some, brain, classes) is None, names


@pytest.mark.parametrize("name", MODALITIES)
def test_a_flipped_modality_is_named(head, name):
    volumes, brain, classes = head
    mirrored = volumes | {name: volumes[name][::-1]}
    for known in (classes, None):
        sentence = plausibility.flipped(mirrored, brain | brain[::-1], known)
        assert sentence.startswith(f"{name} seems mirrored left to right against ")
        assert ("the mask" in sentence) == (known is not None)


def test_a_flipped_modality_is_named_after_it_was_registered(head):
    volumes, brain, classes = head
    # Mirrored about the middle of a brain that lies far off the middle of its array, as registration leaves it.
    eccentric = {name: np.roll(volume, 25, axis=0) for name, volume in volumes.items()}
    there = np.roll(brain, 25, axis=0)
    x = np.nonzero(there)[0]
    eccentric["t2"] = eccentric["t2"][np.clip(x.min() + x.max() - np.arange(len(there)), 0, len(there) - 1)]
    sentence = plausibility.flipped(eccentric, there, np.roll(classes, 25, axis=0))
    assert sentence.startswith("t2 seems mirrored")


def test_a_flipped_mask_is_named(head):
    volumes, brain, classes = head
    sentence = plausibility.flipped(volumes, brain, classes[::-1])
    assert sentence.startswith("the mask seems mirrored left to right against flair, t1, t1ce, t2")


def test_of_two_modalities_the_mask_says_which_is_flipped(head):
    volumes, brain, classes = head
    pair = {"flair": volumes["flair"], "t1ce": volumes["t1ce"][::-1]}
    assert plausibility.flipped(pair, brain, classes).startswith(
        "t1ce seems mirrored left to right against flair, the mask"
    )
    pair = {"flair": volumes["flair"][::-1], "t1ce": volumes["t1ce"]}
    assert plausibility.flipped(pair, brain, classes).startswith(
        "flair seems mirrored left to right against t1ce, the mask"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("flair", "t1"), ("flair", "t1ce"), ("flair", "t2"), ("t1", "t1ce"), ("t1", "t2"), ("t1ce", "t2")],
)
def test_swapped_modalities_are_named(head, one, other):
    volumes, brain, classes = head
    exchanged = volumes | {one: volumes[other], other: volumes[one]}
    sentence = plausibility.swapped(exchanged, brain, classes)
    assert f"{one} looks like {other}" in sentence
    assert f"{other} looks like {one}" in sentence
    # Without a mask nothing tells T1 with contrast agent from T1.
    blind = plausibility.swapped(exchanged, brain, None)
    assert blind is None if {one, other} == {"t1", "t1ce"} else f"{one} looks like {other}" in blind


def test_t1_in_the_place_of_t1ce_is_named(head):
    volumes, brain, classes = head
    wrong = {"flair": volumes["flair"], "t1ce": volumes["t1"], "t2": volumes["t2"]}
    assert plausibility.swapped(wrong, brain, classes).startswith("t1ce looks like t1;")


def test_one_image_under_two_names_is_named(head):
    volumes, brain, classes = head
    # Another scale of intensities does not hide it.
    sentence = plausibility.swapped(volumes | {"t2": volumes["flair"] * 2 + 1}, brain, classes)
    assert sentence.startswith("flair and t2 hold the same image")


def test_suspicions_need_enough_to_look_at():
    volumes = {"flair": np.zeros((9, 9, 9), np.float32), "t2": np.ones((9, 9, 9), np.float32)}
    brain, classes = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), np.uint8)
    assert plausibility.flipped(volumes, brain, classes) is None
    assert plausibility.swapped(volumes, brain, classes) is None
    # Voxels enough, but all the same.
    assert plausibility.flipped(volumes, ~brain, classes) is None
    assert plausibility.swapped(volumes, ~brain, classes) is None
    assert plausibility.swapped({"adc": volumes["t2"]}, ~brain, classes) is None


@pytest.mark.parametrize("number", [1, 5, 9])
def test_tiny_subjects_raise_no_suspicion(number):
    images, mask = tiny_subject(number)
    volumes, brain = as_read(images), images["t1"] != 0
    for classes in (to_classes(mask, "brats2020"), None):
        assert plausibility.flipped(volumes, brain, classes) is None
        assert plausibility.swapped(volumes, brain, classes) is None


def test_real_patients(real_cases):
    subjects = sorted(folder for folder in real_cases.iterdir() if folder.is_dir())
    assert subjects
    for folder in subjects:
        read = {}
        for path in folder.glob("*.nii*"):
            read[path.name.split(".")[0].removeprefix(f"{folder.name}_")] = np.asarray(nib.load(path).dataobj)
        classes = to_classes(read.pop("seg"), "brats2013")
        # z-scored files: what surrounds the brain is below zero.
        backgrounds = {name: float(volume[0, 0, 0]) for name, volume in read.items()}
        brain = np.any([volume != backgrounds[name] for name, volume in read.items()], axis=0)
        assert checks.mask_outside(classes, brain) is None, folder
        assert plausibility.not_skull_stripped(read, backgrounds, (1.0, 1.0, 1.0)) is None, folder
        assert plausibility.flipped(read, brain, classes) is None, folder
        assert plausibility.swapped(read, brain, classes) is None, folder
        assert plausibility.flipped(read, brain, classes[::-1]).startswith("the mask seems mirrored"), folder
        for name in read:
            mirrored = read | {name: read[name][::-1]}
            assert plausibility.flipped(mirrored, brain | brain[::-1], classes).startswith(f"{name} seems"), folder
        exchanged = {"flair": read["t1ce"], "t1ce": read["flair"]}
        assert "t1ce looks like flair" in plausibility.swapped(exchanged, brain, classes), folder
