"""Every layout is recognized and gives the same arrays; predictions return in its own label values and geometry."""

import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from cohorts import KINDS, PLAIN, found, preprocessed, touch, turned, write_cohort
from studies import MODALITIES, SETTINGS, tiny_subject

from glioseg.labels import CLASSES, MASK, classes_of, to_values
from glioseg.layouts.find_subjects import find_subjects, recognize
from glioseg.predict.restore import restore_classes
from glioseg.preprocess.scan import preprocess_scan
from glioseg.volumes.nifti import read_volume


def check_subjects(folder: Path, source: dict, kind, spacing_mm=(1.0, 1.0, 1.0)):
    """Check that both subjects give the phantoms' arrays, and predictions on their own grids, in their label values."""
    subjects = find_subjects([source], list(MODALITIES))
    assert list(subjects) == list(kind.subjects)
    channels = classes_of([kind.labels])
    for number, (name, subject) in enumerate(subjects.items(), start=1):
        scan, arrays = preprocessed(name, subject)
        assert scan["verdict"] != "excluded", scan["reason"]
        expected = expectation(folder, number, spacing_mm)
        np.testing.assert_array_equal(arrays["image"], expected["image"])
        if MASK not in subject.files:
            assert "mask" not in arrays
            continue
        np.testing.assert_array_equal(arrays["mask"], expected["mask"])
        mask, affine = read_volume(subject.files[MASK].path)
        certain = np.stack([arrays["mask"] == CLASSES.index(tissue) for tissue in channels], axis=-1)
        values = to_values(
            restore_classes(certain.astype(np.float32), scan, list(channels), "classes", {}), subject.labels
        )
        assert values.shape == mask.shape
        assert np.mean(values != mask) < (1e-9 if spacing_mm == (1.0, 1.0, 1.0) else 0.02)
        assert np.allclose(scan["own"]["affine"], affine)


def expectation(folder: Path, number: int, spacing_mm) -> dict[str, np.ndarray]:
    """The arrays of a phantom that is stored as in BraTS."""
    images, mask = tiny_subject(number)
    paths = {}
    for part, volume in {**images, MASK: mask}.items():
        paths[part] = folder / f"expected_{number}_{part}.nii", 0
        nib.save(nib.Nifti1Image(*turned(volume, "LPS", 0, spacing_mm)), paths[part][0])
    return preprocess_scan(str(number), paths, paths.pop(MASK), SETTINGS | {"labels": "brats2020"})[1]


@pytest.mark.parametrize("name", KINDS)
def test_every_layout_gives_the_same_arrays_and_predictions_in_its_own_values(tmp_path, name):
    source, kind = write_cohort(tmp_path / "data", name), KINDS[name]
    assert recognize(source["folder"]) == kind.layout
    subjects = find_subjects([source], list(MODALITIES))
    assert {subject.labels for subject in subjects.values()} == {kind.labels}
    check_subjects(tmp_path, source, kind)


@pytest.mark.parametrize("orientation", ["RAS", "PIR", "LAS"])
@pytest.mark.parametrize("name", ["2021", "msd"])
def test_orientation_changes_nothing(tmp_path, name, orientation):
    check_subjects(tmp_path, write_cohort(tmp_path / "data", name, orientation=orientation), KINDS[name])


@pytest.mark.parametrize("name", ["2024 PED", "table 4-D"])
def test_predictions_of_oblique_and_anisotropic_scans_return_to_their_grid(tmp_path, name):
    spacing_mm = (0.9, 0.9, 2.0)
    source = write_cohort(
        tmp_path / "data", name, orientation="RAS", tilt_degrees=17, spacing_mm=spacing_mm, ending=".nii"
    )
    check_subjects(tmp_path, source, KINDS[name], spacing_mm)


def test_sources_with_the_same_names_need_a_prefix(tmp_path):
    touch(tmp_path / "x", "a/a_t1.nii.gz")
    touch(tmp_path / "y", "a/a-t1n.nii.gz", "b/b-t1n.nii.gz")
    sources = [PLAIN | {"folder": str(tmp_path / folder)} for folder in "xy"]
    with pytest.raises(ValueError, match=r"data: a is both in .*/x and in .*/y; list each as its own source and"):
        find_subjects(sources, ["t1"])
    subjects = find_subjects([sources[0], sources[1] | {"prefix": "0_"}], ["t1"])
    assert {name: subject.labels for name, subject in subjects.items()} == {
        "0_a": "brats2023",
        "0_b": "brats2023",
        "a": "brats2020",
    }
    assert list(subjects) == ["0_a", "0_b", "a"]
    touch(tmp_path / "z", "HGG/a/a_t1.nii.gz", "LGG/a/a_t1.nii.gz")
    with pytest.raises(ValueError, match=r"data: a is both in .*/HGG/a and in .*/LGG/a"):
        found(tmp_path / "z")


def test_an_unknown_layout_is_reported_with_the_expected_ones(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere does not exist; give the folder"):
        found(tmp_path / "nowhere")
    with pytest.raises(
        ValueError, match=r"no known layout in .*; looked for .*SUBJECT/SUBJECT_flair.*; found nothing$"
    ):
        found(tmp_path)
    touch(tmp_path, "deep/1/2/3/a/a_flair.nii.gz")
    with pytest.raises(ValueError, match=r"no known layout in .*, at most 3 folders deep; found 1 folder \(1\)$"):
        found(tmp_path / "deep")
    assert list(found(tmp_path / "deep/1")) == ["a"]
    shutil.rmtree(tmp_path / "deep")
    touch(tmp_path, "a/image.dcm", "read.me")
    with pytest.raises(ValueError, match=r"found 1 folder \(a\) and 1 file \(read.me\)$"):
        found(tmp_path)
    with pytest.raises(ValueError, match=r"read.me is a file; give the subjects' folder, or a .tsv or .csv"):
        found(tmp_path / "read.me")
    for layout, expected in [
        ("brats", "SUBJECT_flair"),
        ("msd", "dataset.json"),
        ("bids", "sub-"),
        ("table", "cohort.tsv"),
    ]:
        with pytest.raises(ValueError, match=f"no .* in .*; expected .*{expected}.*; found 1 folder"):
            found(tmp_path, layout=layout)
    touch(tmp_path, "b/VSD.Brain.XX.O.MR_T1.1/VSD.Brain.XX.O.MR_T1.1.txt")
    with pytest.raises(
        ValueError, match=r"expected one image in it, or DICOM slices alone, found VSD.Brain.XX.O.MR_T1.1.txt"
    ):
        found(tmp_path)
    with pytest.raises(
        ValueError, match=r"layout: 'brats9' is not known; expected one of auto, table, msd, bids, brats"
    ):
        found(tmp_path, layout="brats9")
    with pytest.raises(ValueError, match=r"labels: 'brats9' is not known; expected one of auto, brats2013"):
        found(tmp_path, labels="brats9")
    with pytest.raises(ValueError, match=r"prefix: 'a/' would turn subject names into folders"):
        found(tmp_path, prefix="a/")


def test_a_working_directory_that_is_the_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(touch(tmp_path, "a/a_t1.nii.gz"))
    assert found(".")["a"].files["t1"].path == f"{tmp_path}/a/a_t1.nii.gz"
    assert found("a")["a"].files["t1"].path == "a/a_t1.nii.gz"
    (tmp_path / "cohort.tsv").write_text("subject\tt1\nx\t./a/a_t1.nii.gz\n")
    assert found("./")["x"].files["t1"].path == f"{tmp_path}/a/a_t1.nii.gz"
    assert found("cohort.tsv")["x"].files["t1"].path == "a/a_t1.nii.gz"


def test_finding_lists_folders_and_opens_no_image(tmp_path, monkeypatch):
    names = [f"case_{number:05d}" for number in range(300)]
    touch(tmp_path, *(f"HGG/{name}/{name}_{part}.nii.gz" for name in names for part in (*MODALITIES, MASK)))
    listed, scandir = [], os.scandir

    def counted(folder):
        listed.append(folder)
        return scandir(folder)

    def refuse(self, *arguments, **options):
        raise AssertionError(f"{self} is opened")

    monkeypatch.setattr(os, "scandir", counted)
    monkeypatch.setattr(Path, "open", refuse)
    assert len(found(tmp_path, layout="brats")) == 300
    assert len(listed) == 300 + 3  # the root, the folder above it, HGG
    listed.clear()
    assert len(found(tmp_path)) == 300
    assert len(listed) <= 300 + 10
