"""Label values of the dialects, and the classes and regions that they stand for."""

import re

import numpy as np
import pytest

from glioseg import labels
from glioseg.labels import CLASSES, targets_of, volumes_ml


@pytest.mark.parametrize(
    ("dialect", "values"),
    [
        ("brats2013", {0: "background", 1: "necrosis", 2: "edema", 3: "necrosis", 4: "enhancing"}),
        ("brats2020", {0: "background", 1: "necrosis", 2: "edema", 4: "enhancing"}),
        ("brats2023", {0: "background", 1: "necrosis", 2: "edema", 3: "enhancing"}),
        ("brats2024", {0: "background", 1: "necrosis", 2: "edema", 3: "enhancing", 4: "cavity"}),
        ("brats2024-ped", {0: "background", 1: "enhancing", 2: "necrosis", 3: "cyst", 4: "edema"}),
        ("msd", {0: "background", 1: "edema", 2: "necrosis", 3: "enhancing"}),
    ],
)
def test_labels_are_converted_to_classes_and_back(dialect, values):
    mask = np.array(list(values))
    for dtype in (np.uint8, np.int16, np.float32, np.float64):
        classes = labels.to_classes(mask.astype(dtype), dialect)
        assert classes.dtype == np.uint8
        assert [labels.CLASSES[index] for index in classes] == list(values.values())
    # brats2013 has two values for the class necrosis; the first is written back.
    back = [1 if (dialect, value) == ("brats2013", 3) else value for value in values]
    assert labels.to_values(classes, dialect).tolist() == back


def test_a_class_missing_from_a_dialect_is_written_as_a_similar_one():
    every = np.arange(len(labels.CLASSES))
    assert labels.CLASSES == ("background", "necrosis", "edema", "enhancing", "cavity", "cyst")
    assert labels.to_values(every, "brats2020").tolist() == [0, 1, 2, 4, 0, 1]
    assert labels.to_values(every, "msd").tolist() == [0, 2, 1, 3, 0, 2]
    assert labels.to_values(every, "brats2024-ped").tolist() == [0, 2, 4, 1, 0, 3]


def test_unknown_label_is_named():
    with pytest.raises(ValueError, match=r"holds 3, 7, which brats2020 does not have \(expected 0, 1, 2, 4\)"):
        labels.to_classes(np.array([0, 3, 7]), "brats2020")
    for value, named in [(np.nan, "nan"), (np.inf, "inf"), (-1.0, "-1"), (256.0, "256"), (0.5, "0.5"), (1e30, "1e+30")]:
        with pytest.raises(ValueError, match=rf"holds {re.escape(named)}, which msd does not have"):
            labels.to_classes(np.array([0, value, 1], np.float32), "msd")
    with pytest.raises(ValueError, match="holds 257, 300, which"):
        labels.to_classes(np.array([[0, 300], [257, 1]], np.int16), "brats2023")
    with pytest.raises(ValueError, match="'brats1999' is not known; expected one of brats2013, brats2020, brats2023"):
        labels.to_classes(np.array([0]), "brats1999")
    # A label slightly shifted by a header's scaling is accepted; an empty mask has no unknown labels.
    assert labels.to_classes(np.array([[3.0004, 0], [0.9996, 2]]), "msd").tolist() == [[3, 0], [2, 1]]
    assert labels.to_classes(np.zeros((0, 4)), "msd").shape == (0, 4)


def test_regions_are_unions_of_classes():
    classes = np.arange(6, dtype=np.uint8).reshape(2, 3)  # background, necrosis, edema; enhancing, cavity, cyst
    assert labels.region(classes, "WT").tolist() == [[False, True, True], [True, False, True]]
    assert labels.region(classes, "TC").tolist() == [[False, True, False], [True, False, True]]
    assert labels.region(classes, "ET").tolist() == [[False, False, False], [True, False, False]]
    assert labels.region(classes, "RC").tolist() == [[False, False, False], [False, True, False]]


def test_classes_and_regions_are_those_of_the_data_sets():
    old = ("background", "necrosis", "edema", "enhancing")
    assert labels.classes_of(["msd", "brats2020"]) == old
    assert labels.classes_of({"brats2024-ped", "msd"}) == (*old, "cyst")
    assert labels.classes_of(iter(["brats2024-ped", "brats2024"])) == labels.CLASSES
    assert labels.classes_of([]) == ("background",)
    assert labels.regions_of(["msd", "brats2024-ped"]) == ["WT", "TC", "ET"]
    assert labels.regions_of(["msd", "brats2024"]) == ["WT", "TC", "ET", "RC"]
    with pytest.raises(ValueError, match="'gli' is not known"):
        labels.regions_of(["gli"])


def test_volumes_of_the_regions_of_a_dialect():
    classes = np.array([0, 1, 1, 2, 2, 2, 3])  # background, necrosis, edema and enhancing tumor, by index
    assert volumes_ml(classes, "brats2020", 0.5) == {"WT": 3.0, "TC": 1.5, "ET": 0.5}
    assert list(volumes_ml(classes, "brats2024", 1.0)) == ["WT", "TC", "ET", "RC"]


def test_targets_by_name():
    assert targets_of("classes", CLASSES[:4]) == CLASSES[:4]
    assert targets_of("regions", CLASSES[:4]) == ("WT", "TC", "ET")
    assert targets_of("regions", CLASSES[:5]) == ("WT", "TC", "ET", "RC")
    with pytest.raises(ValueError, match="cannot distinguish a cyst from necrosis"):
        targets_of("regions", CLASSES)
    with pytest.raises(ValueError, match="targets: 'tissues' is not known; expected one of classes, regions"):
        targets_of("tissues", CLASSES)
