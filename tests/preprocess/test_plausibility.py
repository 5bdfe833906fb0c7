"""Odd findings in a scan are reported, and good scans cause no warning."""

import nibabel as nib
import numpy as np
import pytest
from studies import tiny_subject

from glioseg.labels import DIALECTS, to_classes
from glioseg.preprocess import checks, plausibility
from glioseg.synthesize.phantoms import MODALITIES, phantom


@pytest.fixture(scope="module")
def head():
    """Volumes (float32), brain and class indices of a phantom with enhancing tumor."""
    images, mask = phantom("phantom_005", 42)
    return as_read(images), images["t1"] != 0, to_classes(mask, "brats2020")


def as_read(images):
    """Images as they are read from files: float32 in Fortran order."""
    return {name: np.asfortranarray(image, np.float32) for name, image in images.items()}


def test_far_spacing():
    assert "the voxels measure 0.9 x 0.9 x 5 mm and are resampled to 1 mm" in plausibility.far_spacing(
        (0.9, 0.9, 5.0), 1.0
    )
    assert "0.5 x 1 x 3" in plausibility.far_spacing((0.5, 1.0, 3.0), 2.0)
    assert plausibility.far_spacing((0.9, 1.2, 1.4), 1.0) is None
    # A study may resample finer scans to coarser arrays.
    assert plausibility.far_spacing((1.0, 1.0, 1.0), 2.0) is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_mask_of_only_0_and_1_is_doubted(dialect):
    mask = np.zeros((5, 5, 5), np.float32)
    assert plausibility.mask_one_value(mask, dialect) is None
    mask[2] = 1.0004
    sentence = plausibility.mask_one_value(mask, dialect)
    assert f"the mask holds only 0 and 1, so all tumor is {DIALECTS[dialect][1]}; expected 0, 1, 2, " in sentence
    mask[3] = 2
    assert plausibility.mask_one_value(mask, dialect) is None


def test_not_skull_stripped(head):
    volumes, _, _ = head
    backgrounds = dict.fromkeys(volumes, 0.0)
    assert plausibility.not_skull_stripped(volumes, backgrounds, (1.0, 1.0, 1.0)) is None
    sentence = plausibility.not_skull_stripped(volumes, backgrounds | {"t1": None, "t2": None}, (1.0, 1.0, 1.0))
    assert "no constant background around the brain in t1, t2" in sentence
    # With voxels twice as large, the foreground is too large for a brain.
    sentence = plausibility.not_skull_stripped(volumes, backgrounds, (2.0, 1.0, 1.0))
    assert "flair shows 3.2 liters, but a brain has at most 2.2" in sentence
    # The setting that deals with it.
    assert sentence.endswith("set register: mode to auto and register: strip to network, or strip them")


@pytest.mark.parametrize("labelled", [True, False])
def test_good_volumes_cause_no_warning(head, labelled):
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
        assert sentence.startswith(f"{name} seems mirrored left to right relative to ")
        assert ("the mask" in sentence) == (known is not None)


def test_a_flipped_modality_is_named_after_it_was_registered(head):
    volumes, brain, classes = head
    # Registration may leave an image mirrored about the middle of the brain, which is far from the middle of its array.
    eccentric = {name: np.roll(volume, 25, axis=0) for name, volume in volumes.items()}
    there = np.roll(brain, 25, axis=0)
    x = np.nonzero(there)[0]
    eccentric["t2"] = eccentric["t2"][np.clip(x.min() + x.max() - np.arange(len(there)), 0, len(there) - 1)]
    sentence = plausibility.flipped(eccentric, there, np.roll(classes, 25, axis=0))
    assert sentence.startswith("t2 seems mirrored")


def test_a_flipped_mask_is_named(head):
    volumes, brain, classes = head
    sentence = plausibility.flipped(volumes, brain, classes[::-1])
    assert sentence.startswith("the mask seems mirrored left to right relative to flair, t1, t1ce, t2")


def test_the_mask_decides_which_of_two_modalities_is_flipped(head):
    volumes, brain, classes = head
    pair = {"flair": volumes["flair"], "t1ce": volumes["t1ce"][::-1]}
    assert plausibility.flipped(pair, brain, classes).startswith(
        "t1ce seems mirrored left to right relative to flair, the mask"
    )
    pair = {"flair": volumes["flair"][::-1], "t1ce": volumes["t1ce"]}
    assert plausibility.flipped(pair, brain, classes).startswith(
        "flair seems mirrored left to right relative to t1ce, the mask"
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
    # Without a mask, T1 and T1 with contrast agent cannot be distinguished.
    blind = plausibility.swapped(exchanged, brain, None)
    assert blind is None if {one, other} == {"t1", "t1ce"} else f"{one} looks like {other}" in blind


def test_t1_in_the_place_of_t1ce_is_named(head):
    volumes, brain, classes = head
    wrong = {"flair": volumes["flair"], "t1ce": volumes["t1"], "t2": volumes["t2"]}
    assert plausibility.swapped(wrong, brain, classes).startswith("t1ce looks like t1;")


def test_two_modalities_with_the_same_image_are_named(head):
    volumes, brain, classes = head
    # A different scale of intensities does not hide it.
    sentence = plausibility.swapped(volumes | {"t2": volumes["flair"] * 2 + 1}, brain, classes)
    assert sentence.startswith("flair and t2 hold the same image")


def test_too_small_or_constant_volumes_cause_no_warning():
    volumes = {"flair": np.zeros((9, 9, 9), np.float32), "t2": np.ones((9, 9, 9), np.float32)}
    brain, classes = np.zeros((9, 9, 9), bool), np.zeros((9, 9, 9), np.uint8)
    assert plausibility.flipped(volumes, brain, classes) is None
    assert plausibility.swapped(volumes, brain, classes) is None
    # There are enough voxels, but they are all equal.
    assert plausibility.flipped(volumes, ~brain, classes) is None
    assert plausibility.swapped(volumes, ~brain, classes) is None
    assert plausibility.swapped({"adc": volumes["t2"]}, ~brain, classes) is None


@pytest.mark.parametrize("number", [1, 5, 9])
def test_tiny_subjects_cause_no_warning(number):
    images, mask = tiny_subject(number)
    volumes, brain = as_read(images), images["t1"] != 0
    for classes in (to_classes(mask, "brats2020"), None):
        assert plausibility.flipped(volumes, brain, classes) is None
        assert plausibility.swapped(volumes, brain, classes) is None


def test_flips_and_swaps_are_found_in_real_patients(real_cases):
    subjects = sorted(folder for folder in real_cases.iterdir() if folder.is_dir())
    assert subjects
    for folder in subjects:
        read = {}
        for path in folder.glob("*.nii*"):
            read[path.name.split(".")[0].removeprefix(f"{folder.name}_")] = np.asarray(nib.load(path).dataobj)
        classes = to_classes(read.pop("seg"), "brats2013")
        # These files are z-scored, so that the background is below zero.
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
