"""Labels, volumes, normalization, checks, folds: small arrays whose answers stand here."""

import gzip
import re

import nibabel as nib
import numpy as np
import pytest

from glioseg import labels
from glioseg.files import read_table, whole, write_table
from glioseg.preprocess import checks
from glioseg.preprocess.normalize import NORMALIZATIONS, intensities
from glioseg.preprocess.scan import copy_rows
from glioseg.volumes.boxes import bounding_box, cut, grow, hull, lengths, overlap, relative, within
from glioseg.volumes.brain import background_value, brain_mask
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import from_lps, to_lps
from glioseg.volumes.resample import resample, resampled_shape


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
def test_labels_go_to_classes_and_back(dialect, values):
    mask = np.array(list(values))
    for dtype in (np.uint8, np.int16, np.float32, np.float64):
        classes = labels.to_classes(mask.astype(dtype), dialect)
        assert classes.dtype == np.uint8
        assert [labels.CLASSES[index] for index in classes] == list(values.values())
    # In 2013 necrosis and non-enhancing tumor are one class, written back as the first of both.
    back = [1 if (dialect, value) == ("brats2013", 3) else value for value in values]
    assert labels.to_values(classes, dialect).tolist() == back


def test_a_class_that_a_dialect_lacks_is_written_as_the_nearest():
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
    with pytest.raises(ValueError, match="'brats1999' is not known; known are brats2013, brats2020, brats2023"):
        labels.to_classes(np.array([0]), "brats1999")
    # What rounding in a header moved is still that label; no voxels are no unknown label.
    assert labels.to_classes(np.array([[3.0004, 0], [0.9996, 2]]), "msd").tolist() == [[3, 0], [2, 1]]
    assert labels.to_classes(np.zeros((0, 4)), "msd").shape == (0, 4)


def test_regions_are_sums_of_classes():
    classes = np.arange(6, dtype=np.uint8).reshape(2, 3)  # background, necrosis, edema; enhancing, cavity, cyst
    assert labels.region(classes, "WT").tolist() == [[False, True, True], [True, False, True]]
    assert labels.region(classes, "TC").tolist() == [[False, True, False], [True, False, True]]
    assert labels.region(classes, "ET").tolist() == [[False, False, False], [True, False, False]]
    assert labels.region(classes, "RC").tolist() == [[False, False, False], [False, True, False]]


def test_what_is_told_apart_is_what_the_data_sets_have():
    old = ("background", "necrosis", "edema", "enhancing")
    assert labels.classes_of(["msd", "brats2020"]) == old
    assert labels.classes_of({"brats2024-ped", "msd"}) == (*old, "cyst")
    assert labels.classes_of(iter(["brats2024-ped", "brats2024"])) == labels.CLASSES
    assert labels.classes_of([]) == ("background",)
    assert labels.regions_of(["msd", "brats2024-ped"]) == ["WT", "TC", "ET"]
    assert labels.regions_of(["msd", "brats2024"]) == ["WT", "TC", "ET", "RC"]
    with pytest.raises(ValueError, match="'gli' is not known"):
        labels.regions_of(["gli"])


@pytest.mark.parametrize("background", [0.0, -3.6243944])
def test_brain_is_what_differs_from_the_background(background):
    volume = np.full((8, 9, 10), background, np.float32)
    volume[2:5, 3:6, 4:9] = 1
    assert background_value(volume) == pytest.approx(background)
    brain = brain_mask(volume, background_value(volume))
    assert brain.sum() == 3 * 3 * 5
    assert bounding_box(brain) == ((2, 5), (3, 6), (4, 9))


def test_a_scan_without_background_is_all_brain():
    volume = np.random.default_rng(0).normal(size=(5, 5, 5)).astype(np.float32)
    assert background_value(volume) is None
    assert brain_mask(volume, None).all()


def test_resampling_keeps_positions():
    # A ramp in mm stays the same ramp on the finer grid, away from the edges.
    ramp = (np.arange(12, dtype=np.float32) + 0.5)[:, None, None] * 2 * np.ones((1, 4, 6), np.float32)
    shape = resampled_shape(ramp.shape, (2, 1, 1), (1, 1, 1))
    fine = resample(ramp, (2, 1, 1), (1, 1, 1), shape)
    assert shape == (24, 4, 6)
    assert fine[2:-2, 1, 1] == pytest.approx(np.arange(2, 22) + 0.5)
    back = resample(fine, (1, 1, 1), (2, 1, 1), ramp.shape)
    assert back[1:-1] == pytest.approx(ramp[1:-1])
    assert resample(ramp, (2, 1, 1), (2, 1, 1), ramp.shape) is ramp


def test_resampling_a_mask_makes_no_new_values():
    mask = np.random.default_rng(1).integers(0, 4, (6, 7, 8)).astype(np.uint8)
    fine = resample(mask, (1, 1, 3), (1, 1, 1), (6, 7, 24), nearest=True)
    assert fine.dtype == np.uint8
    assert (fine == np.repeat(mask, 3, axis=2)).all()


def test_normalizations_by_hand():
    volume = np.array([[[0, 2, 4]], [[0, 6, 8]]], np.float32)
    values = volume[volume > 0]
    inside = intensities(values)
    assert inside == {"minimum": 2, "maximum": 8, "mean": 5, "std": pytest.approx(5**0.5)}
    done = {name: normalize(volume, values, inside) for name, normalize in NORMALIZATIONS.items()}
    assert done["minmax"].ravel().tolist() == [0, 0.25, 0.5, 0, 0.75, 1]
    # Each axial slice by itself; a constant slice becomes 0.
    assert done["minmax_slice"].ravel().tolist() == [0, 0, 0, 0, 1, 1]
    # Of the brain alone.
    assert done["zscore"] == pytest.approx(np.array([-3, -1, 1, 3]) / 5**0.5)
    assert done["percentile"] == pytest.approx([0, (4 - 2.03) / 5.94, (6 - 2.03) / 5.94, 1])
    assert {array.dtype for array in done.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("volume", [np.full((3, 3, 3), 5), np.full((3, 3, 3), 1e38), np.zeros((3, 3, 3))], ids=str)
def test_a_constant_scan_does_not_divide_by_zero(volume):
    volume = volume.astype(np.float32)
    for values in (volume.ravel(), volume[:0].ravel()):
        inside = intensities(values)
        assert np.isfinite(list(inside.values())).all()
        for name, normalize in NORMALIZATIONS.items():
            assert np.isfinite(normalize(volume, values, inside)).all(), name


def test_huge_and_tiny_intensities_keep_their_deviation():
    for factor in (1e30, 1e-40):
        values = np.array([-factor, factor], np.float32)
        inside = intensities(values)
        assert inside["std"] == pytest.approx(factor, rel=1e-4)
        assert np.isfinite(NORMALIZATIONS["zscore"](values, values, inside)).all()
        assert np.isfinite(NORMALIZATIONS["percentile"](values, values, inside)).all()


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
    packed = path.read_bytes()
    content = gzip.decompress(packed)
    damaged = {
        "half of the file": packed[: len(packed) // 2],
        "without its checksum": packed[:-8],
        "with a wrong checksum": packed[:-8] + bytes(4) + packed[-4:],
        "with a wrong length": packed[:-4] + bytes(4),
        "another thing": gzip.compress(b"no image at all"),
        "nothing": b"",
        "fewer voxels than promised": gzip.compress(content[:-1]),
        "more voxels than any machine holds": gzip.compress(content[:42] + b"\xff\x7f" * 3 + content[48:]),
    }
    for what, bytes_ in damaged.items():
        path.write_bytes(bytes_)
        with pytest.raises(ValueError, match=r"scan.nii.gz cannot be read as NIfTI \(.+\); copy the file anew"):
            pytest.fail(f"{what} was read: {read_volume(path)}")
    with pytest.raises(ValueError, match=r"nowhere.nii cannot be read as NIfTI \(FileNotFoundError"):
        read_volume(tmp_path / "nowhere.nii")
    nib.save(nib.Nifti1Image(np.zeros((3, 3)), np.eye(4)), path)
    with pytest.raises(ValueError, match=r"holds an array of shape \(3, 3\); expected a 3-D volume"):
        read_volume(path)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 2)), np.eye(4)), path)
    with pytest.raises(ValueError, match="holds 2 volumes, from 0 on; expected one with the index 2"):
        read_volume(path, 2)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.complex64), np.eye(4)), path)
    with pytest.raises(ValueError, match="voxels of the type complex64; expected one number each"):
        read_volume(path)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i2", "u2", "i4", "f4", ">f4", "f8"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_every_type_of_voxel_is_read_as_nibabel_does(tmp_path, dtype, kind):
    voxels = np.random.default_rng(3).integers(0, 200, (4, 5, 6, 2)).astype(dtype)
    image = kind(voxels, np.diag([2, 1, 1, 1]))
    image.set_data_dtype(dtype)
    image.header.set_slope_inter(0.5, -3) if dtype == "i4" else None
    for ending in (".nii", ".nii.gz"):
        nib.save(image, tmp_path / f"scan{ending}")
        expected = nib.load(tmp_path / f"scan{ending}").get_fdata()
        for index in (0, 1):
            found, affine = read_volume(tmp_path / f"scan{ending}", index)
            assert found.dtype == np.float32
            assert found == pytest.approx(expected[..., index], abs=1e-4)
            assert (affine == np.diag([2, 1, 1, 1])).all()
    # What is named .nii but compressed, or the other way round, and what was compressed in several parts.
    packed = (tmp_path / "scan.nii.gz").read_bytes()
    content = gzip.decompress(packed)
    for bytes_ in (packed, content, gzip.compress(content[:500]) + gzip.compress(content[500:]) + bytes(3)):
        (tmp_path / "odd.nii").write_bytes(bytes_)
        assert (read_volume(tmp_path / "odd.nii", 1)[0] == found).all()


@pytest.mark.parametrize("codes", ["LPS", "RAS", "PIR", "SAL", "ARI"])
@pytest.mark.parametrize("tilt", [0, 0.3])
def test_every_orientation_becomes_lps_and_comes_back(codes, tilt):
    rotation = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    axes = {"R": (1, 0, 0), "L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.array([axes[code] for code in codes]).T @ np.diag([1, 2, 3])
    affine[:3, 3] = 7, -8, 9
    voxels = np.random.default_rng(0).normal(size=(4, 5, 6))
    turned, lps = to_lps(voxels, affine)
    assert nib.aff2axcodes(lps) == ("L", "P", "S")
    assert np.shares_memory(turned, voxels)
    # Each voxel is still at its place in the patient.
    at = np.argwhere(np.isin(turned, voxels[:2, 1:3, 2:4]))
    for index in at:
        (source,) = np.argwhere(voxels == turned[tuple(index)])
        assert lps @ [*index, 1] == pytest.approx(affine @ [*source, 1])
    back = from_lps(turned, affine)
    assert back.shape == voxels.shape
    assert (back == voxels).all()


def test_boxes_by_hand():
    mask = np.zeros((8, 9, 10), bool)
    mask[3, 4, 5] = mask[6, 4, 9] = True
    box = bounding_box(mask)
    assert box == ((3, 7), (4, 5), (5, 10))
    assert bounding_box(np.zeros((2, 3, 4), bool)) == ((0, 2), (0, 3), (0, 4))
    assert lengths(box) == (4, 1, 5)
    assert grow(box, mask.shape) == ((2, 8), (3, 6), (4, 10))
    assert hull([box, ((0, 4), (6, 9), (5, 6))]) == ((0, 7), (4, 9), (5, 10))
    assert overlap(box, ((0, 4), (2, 9), (5, 6))) == ((3, 4), (4, 5), (5, 6))
    assert cut(mask, overlap(box, ((7, 8), (0, 9), (0, 4)))).size == 0
    inner = ((4, 5), (4, 5), (7, 9))
    assert relative(inner, box) == ((1, 2), (0, 1), (2, 4))
    assert within(box, relative(inner, box)) == inner


def test_copying_into_rows_changes_no_voxel():
    volume = np.asfortranarray(np.random.default_rng(2).integers(0, 9, (5, 19, 7)).astype(np.int16))
    rows = np.empty(volume.shape, np.float32)
    copy_rows(volume[:, ::-1], rows)
    assert (rows == volume[:, ::-1]).all()


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
