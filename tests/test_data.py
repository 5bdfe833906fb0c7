"""Labels, volumes, normalization, checks, layouts, folds: small arrays whose answers stand here."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from conftest import write_subject

from glioseg import checks, labels, volumes
from glioseg.cohort import cohort_rows, models_for, monitored_subjects, predicted_subjects, training_subjects
from glioseg.folds import assign_folds
from glioseg.layouts import find_subjects
from glioseg.normalize import NORMALIZATIONS
from glioseg.outputs import read_table, whole, write_table


def test_labels_go_to_classes_and_back():
    values = np.array([0, 1, 2, 4], np.uint8)
    assert labels.to_classes(values, "brats2020").tolist() == [0, 1, 2, 3]
    assert labels.to_values(labels.to_classes(values, "brats2020"), "brats2020").tolist() == [0, 1, 2, 4]
    # In 2013 necrosis and non-enhancing tumor are one class, written back as the first of both.
    assert labels.to_classes(np.array([0.0, 1, 2, 3, 4]), "brats2013").tolist() == [0, 1, 2, 1, 3]
    assert labels.to_values(np.array([0, 1, 2, 3]), "brats2013").tolist() == [0, 1, 2, 4]


def test_unknown_label_is_named():
    with pytest.raises(ValueError, match=r"holds 3, 7, which brats2020 does not have \(expected 0, 1, 2, 4\)"):
        labels.to_classes(np.array([0, 3, 7]), "brats2020")
    with pytest.raises(ValueError, match="known are brats2020, brats2013"):
        labels.to_classes(np.array([0]), "brats1999")


def test_regions_are_sums_of_classes():
    classes = np.array([0, 1, 2, 3])
    assert labels.region(classes, "WT").tolist() == [False, True, True, True]
    assert labels.region(classes, "TC").tolist() == [False, True, False, True]
    assert labels.region(classes, "ET").tolist() == [False, False, False, True]


@pytest.mark.parametrize("background", [0.0, -3.6243944])
def test_brain_is_what_differs_from_the_background(background):
    volume = np.full((8, 9, 10), background, np.float32)
    volume[2:5, 3:6, 4:9] = 1
    assert volumes.background_value(volume) == pytest.approx(background)
    brain = volumes.brain_mask(volume, volumes.background_value(volume))
    assert brain.sum() == 3 * 3 * 5
    assert volumes.bounding_box(brain) == ((2, 5), (3, 6), (4, 9))


def test_a_scan_without_background_is_all_brain():
    volume = np.random.default_rng(0).normal(size=(5, 5, 5)).astype(np.float32)
    assert volumes.background_value(volume) is None
    assert volumes.brain_mask(volume, None).all()


def test_resampling_keeps_positions():
    # A ramp in mm stays the same ramp on the finer grid, away from the edges.
    ramp = (np.arange(12, dtype=np.float32) + 0.5)[:, None, None] * 2 * np.ones((1, 4, 6), np.float32)
    shape = volumes.resampled_shape(ramp.shape, (2, 1, 1), (1, 1, 1))
    fine = volumes.resample(ramp, (2, 1, 1), (1, 1, 1), shape)
    assert shape == (24, 4, 6)
    assert fine[2:-2, 1, 1] == pytest.approx(np.arange(2, 22) + 0.5)
    back = volumes.resample(fine, (1, 1, 1), (2, 1, 1), ramp.shape)
    assert back[1:-1] == pytest.approx(ramp[1:-1])
    assert volumes.resample(ramp, (2, 1, 1), (2, 1, 1), ramp.shape) is ramp


def test_resampling_a_mask_makes_no_new_values():
    mask = np.random.default_rng(1).integers(0, 4, (6, 7, 8)).astype(np.uint8)
    fine = volumes.resample(mask, (1, 1, 3), (1, 1, 1), (6, 7, 24), nearest=True)
    assert fine.dtype == np.uint8
    assert (fine == np.repeat(mask, 3, axis=2)).all()


def test_normalizations_by_hand():
    volume = np.array([[[0, 2, 4]], [[0, 6, 8]]], np.float32)
    brain = volume > 0
    assert NORMALIZATIONS["minmax"](volume, brain).ravel().tolist() == [0, 0.25, 0.5, 0, 0.75, 1]
    # Each axial slice by itself; a constant slice becomes 0.
    assert NORMALIZATIONS["minmax_slice"](volume, brain).ravel().tolist() == [0, 0, 0, 0, 1, 1]
    z = NORMALIZATIONS["zscore"](volume, brain)
    assert z[brain].mean() == pytest.approx(0, abs=1e-6)
    assert z[brain].std() == pytest.approx(1)
    assert not z[~brain].any()
    p = NORMALIZATIONS["percentile"](volume, brain)
    assert (p.min(), p.max()) == (0, 1)


def test_a_slice_of_constant_value_does_not_divide_by_zero():
    volume = np.full((3, 3, 3), 5, np.float32)
    for name, normalize in NORMALIZATIONS.items():
        assert np.isfinite(normalize(volume, np.ones_like(volume, bool))).all(), name


def test_checks_speak_in_sentences():
    assert checks.missing(["flair", "t2"], ["flair"]) == "no file for t2; expected flair, t2, found flair"
    assert checks.missing(["flair"], ["flair", "t2"]) is None
    assert "t2 has shape 2x2x3 but flair has 2x2x2" in checks.shapes({"flair": (2, 2, 2), "t2": (2, 2, 3)})
    shifted = np.eye(4)
    shifted[0, 3] = 2
    assert "affine of t2 differs from that of flair by up to 2" in checks.affines({"flair": np.eye(4), "t2": shifted})
    assert checks.affines({"flair": np.eye(4), "t2": np.eye(4) + 1e-4}) is None
    assert "1 voxels that are NaN" in checks.finite("t1", np.array([1, np.nan]))
    assert "every voxel is 3" in checks.constant("t1", np.full(4, 3.0))
    assert "not finite" in checks.geometry("t1", np.full((4, 4), np.nan))
    assert checks.geometry("t1", np.eye(4)) is None


def test_reading_says_what_is_wrong(tmp_path):
    path = tmp_path / "scan.nii.gz"
    nib.save(nib.Nifti1Image(np.random.default_rng(0).normal(size=(9, 9, 9)), np.eye(4)), path)
    whole_file = path.read_bytes()
    path.write_bytes(whole_file[: len(whole_file) // 2])
    with pytest.raises(ValueError, match=r"scan.nii.gz cannot be read as NIfTI"):
        volumes.read_volume(path)
    path.write_bytes(gzip.compress(b"no image at all"))
    with pytest.raises(ValueError, match=r"scan.nii.gz cannot be read as NIfTI"):
        volumes.read_volume(path)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 2)), np.eye(4)), path)
    with pytest.raises(ValueError, match="expected one 3-D volume"):
        volumes.read_volume(path)


def test_layout_finds_brats_and_its_misnamed_mask(tmp_path):
    write_subject(tmp_path, 1, ending=".nii")
    odd = write_subject(tmp_path, 2)
    (odd / "case_02_seg.nii.gz").rename(odd / "W39_1998.09.19_Segm.nii.gz")
    (odd / "case_02_t1.nii.gz").unlink()
    (odd / "._case_02_t1.nii.gz").write_text("what a Mac leaves behind")
    (tmp_path / "name_mapping.csv").write_text("a table beside the subjects")
    found = find_subjects(tmp_path, "brats", ["flair", "t1", "t2"])
    assert list(found) == ["case_01", "case_02"]
    assert set(found["case_01"]) == {"flair", "t1", "t2", "seg"}
    assert set(found["case_02"]) == {"flair", "t2", "seg"}
    assert found["case_02"]["seg"].name == "W39_1998.09.19_Segm.nii.gz"


def test_layout_says_what_it_expected(tmp_path):
    with pytest.raises(ValueError, match="does not exist; give the folder"):
        find_subjects(tmp_path / "nowhere", "brats", ["flair"])
    with pytest.raises(ValueError, match=r"no subject found in .*; expected folders such as SUBJECT/SUBJECT_flair"):
        find_subjects(tmp_path, "brats", ["flair"])


def test_folds_are_balanced_and_seeded():
    volumes_ml = {f"s{i:02d}": float(i) for i in range(40)}
    enhancing = {name: float(i % 4 > 0) for i, name in enumerate(volumes_ml)}
    assigned = assign_folds(volumes_ml, enhancing, 3, 25, 7)
    groups = {fold: [s for s in volumes_ml if assigned[s] == fold] for fold in ("test", "0", "1", "2")}
    assert sum(map(len, groups.values())) == 40
    assert [len(group) for group in groups.values()] == [10, 10, 10, 10]
    for group in groups.values():
        assert sum(enhancing[s] == 0 for s in group) in (2, 3)
        assert np.mean([volumes_ml[s] for s in group]) == pytest.approx(19.5, abs=3)
    assert assign_folds(volumes_ml, enhancing, 3, 25, 7) == assigned
    assert assign_folds(volumes_ml, enhancing, 3, 25, 8) != assigned
    with pytest.raises(ValueError, match="2 usable subjects with masks are too few for 3 folds"):
        assign_folds({"a": 1.0, "b": 2.0}, {"a": 0.0, "b": 0.0}, 3, 0, 1)


def scan(name, **facts):
    base = {"subject": name, "verdict": "taken", "reason": "", "has_mask": True}
    return base | {"tumor_ml": 1.0, "enhancing_ml": 0.5, "tumor_voxels": 10, "tumor_voxels_lost": 1} | facts


def test_nobody_is_predicted_by_a_model_that_saw_them():
    scans = [scan(f"s{i}") for i in range(8)]
    scans += [{"subject": "broken", "verdict": "excluded", "reason": "t1 is empty", "has_mask": True}]
    scans += [{"subject": "new", "verdict": "taken", "reason": "", "has_mask": False}]
    for folds in (1, 3):
        rows = cohort_rows(scans, folds, 25, 3)
        for subject in predicted_subjects(rows):
            for model in models_for(rows, subject, folds):
                assert subject not in training_subjects(rows, model)
        assert "new" in predicted_subjects(rows)
        assert "broken" not in predicted_subjects(rows)
        with pytest.raises(ValueError, match="broken is excluded and can't be predicted: t1 is empty"):
            models_for(rows, "broken", folds)
    rows = cohort_rows(scans, 1, 25, 3)
    assert not set(monitored_subjects(rows, "all")) & set(training_subjects(rows, "all"))
    with pytest.raises(ValueError, match="was learned from by the only model"):
        models_for(rows, training_subjects(rows, "all")[0], 1)
    assert next(row for row in rows if row["subject"] == "s0")["lost_percent"] == "10.000"


def test_too_few_usable_subjects_names_the_exclusions():
    scans = [{"subject": "broken", "verdict": "excluded", "reason": "t1 is empty", "has_mask": True}]
    with pytest.raises(ValueError, match="excluded: broken: t1 is empty"):
        cohort_rows(scans, 1, 25, 3)


def test_outputs_are_whole_or_absent(tmp_path):
    path = tmp_path / "table.tsv"
    write_table(path, ["a", "b"], [{"a": "1\t2", "b": "line\nbreak"}])
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert read_table(path) == [{"a": "1 2", "b": "line break"}]
    assert list(tmp_path.iterdir()) == [path]


def test_tables_are_read_as_they_stand_or_refused_in_a_sentence(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text('a\tb\n"x\t\n', encoding="utf-8")
    assert read_table(path, ("b",)) == [{"a": '"x', "b": ""}]
    (tmp_path / "table.csv").write_text("a,b\n1,\n")
    assert read_table(tmp_path / "table.csv") == [{"a": "1", "b": ""}]
    with pytest.raises(ValueError, match=r"table.tsv: expected the columns a, c, d, missing are c, d$"):
        read_table(path, ("a", "c", "d"))
    path.write_text("a\tb\n1\t2\n1\t2\t3\n")
    with pytest.raises(ValueError, match=r"table.tsv: expected 2 cells in each line, found 3 in line 3"):
        read_table(path)
    for content in (b"", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"table.tsv: expected a table with a header"):
            read_table(path)
    with pytest.raises(ValueError, match=r"none.tsv: expected a table with a header"):
        read_table(tmp_path / "none.tsv")
