"""A scan's files become arrays, and scan.json describes them."""

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
import yaml
from cohorts import turned
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler
from studies import MODALITIES, ROOT, SETTINGS, resave, scan_of, tiny_subject, write_subject

from glioseg import labels
from glioseg.predict.restore import restore_classes
from glioseg.preprocess.findings import CHECKS
from glioseg.preprocess.scan import copy_rows, preprocess_scan
from glioseg.synthesize.phantoms import AFFINE, phantom
from glioseg.volumes.nifti import read_volume, write_volume


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return write_subject(tmp_path_factory.mktemp("fuzzed"), 1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 351), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    part=st.sampled_from(["flair", "seg"]),
)
def test_a_fuzzed_header_never_ends_in_a_traceback(subject, changes, part):
    path = subject / f"{subject.name}_{part}.nii.gz"
    before = path.read_bytes()
    content = bytearray(gzip.decompress(before))
    for position, value in changes:
        content[position : position + len(value)] = value
    try:
        path.write_bytes(gzip.compress(bytes(content), 1))
        images = {name: (subject / f"{subject.name}_{name}.nii.gz", 0) for name in MODALITIES}
        scan, arrays = preprocess_scan("case_01", images, (subject / f"{subject.name}_seg.nii.gz", 0), SETTINGS)
    finally:
        path.write_bytes(before)
    json.dumps(scan, allow_nan=False)
    assert (scan["verdict"] == "excluded") == (not arrays)
    assert bool(scan["reason"]) == (scan["verdict"] != "included")


def test_copy_rows_changes_no_voxel():
    volume = np.asfortranarray(np.random.default_rng(2).integers(0, 9, (5, 19, 7)).astype(np.int16))
    rows = np.empty(volume.shape, np.float32)
    copy_rows(volume[:, ::-1], rows)
    assert (rows == volume[:, ::-1]).all()


def with_nan(voxels):
    voxels = voxels.astype(np.float32)
    voxels[20, 20, 20] = np.nan
    return voxels


def test_original_preset_equals_its_recipe(tmp_path):
    images, truth = phantom("phantom_009", 42)
    for name, volume in [*images.items(), ("seg", truth)]:
        write_volume(tmp_path / "p" / f"p_{name}.nii.gz", volume, AFFINE)
    preset = yaml.safe_load((ROOT / "presets/original.yaml").read_text())
    assert preset["modalities"] == ["flair", "t1ce", "t2"]
    files = {name: (tmp_path / "p" / f"p_{name}.nii.gz", 0) for name in preset["modalities"]}
    mask_file = (tmp_path / "p" / "p_seg.nii.gz", 0)
    settings = SETTINGS | preset["preprocess"] | {"modalities": preset["modalities"]}
    scan, arrays = preprocess_scan("p", files, mask_file, settings | {"min_tumor_percent": 0.0})

    # The recipe, step by step as in its README.
    stack = []
    for name in ("flair", "t1ce", "t2"):
        volume = nib.load(files[name][0]).get_fdata()
        stack.append(MinMaxScaler().fit_transform(volume.reshape(-1, volume.shape[-1])).reshape(volume.shape))
    mask = nib.load(mask_file[0]).get_fdata().astype(np.uint8)
    mask[mask == 4] = 3
    expected = np.stack(stack, axis=3)[56:184, 56:184, 13:141]
    mask = mask[56:184, 56:184, 13:141]

    assert arrays["image"].shape == (128, 128, 128, 3)
    assert np.abs(arrays["image"].astype(np.float64) - expected).max() <= 2**-11
    assert (arrays["mask"] == mask).all()
    assert scan["tumor_percent"] == pytest.approx(100 * (mask > 0).mean())
    assert scan["tumor_voxels_lost"] == (truth > 0).sum() - (mask > 0).sum() > 0

    strict = settings | {"min_tumor_percent": scan["tumor_percent"] + 0.1}
    excluded, nothing = preprocess_scan("p", files, mask_file, strict)
    assert (excluded["verdict"], nothing) == ("excluded", {})
    assert "of the crop is tumor; expected at least" in excluded["reason"]


def test_scan_json_describes_the_arrays(tmp_path):
    folder = write_subject(tmp_path, 3)
    scan, arrays = scan_of(folder)
    images, mask = tiny_subject(3)
    (x0, x1), (y0, y1), (z0, z1) = scan["crop"]
    assert arrays["image"].dtype == np.float16
    assert arrays["mask"].dtype == np.uint8
    assert arrays["image"].shape == (x1 - x0, y1 - y0, z1 - z0, 4) == tuple(scan["array_shape"])
    brain = images["t1ce"] != 0
    z = (images["t1ce"] - images["t1ce"][brain].mean()) / images["t1ce"][brain].std()
    expected = np.where(brain, z, 0)[x0:x1, y0:y1, z0:z1]
    assert arrays["image"][..., 2] == pytest.approx(expected, abs=5e-3)
    assert scan["classes"] == {
        name: int((mask == value).sum()) for name, value in (("necrosis", 1), ("edema", 2), ("enhancing", 4))
    }
    assert scan["tumor_voxels_lost"] == 0
    assert scan["intensities"]["t1ce"]["mean"] == pytest.approx(images["t1ce"][brain].mean())
    order = scan_of(folder, modalities=("t2", "flair"))[1]["image"]
    assert (order[..., 1] == arrays["image"][..., 0]).all()


def test_a_scan_without_mask_is_included(tmp_path):
    folder = write_subject(tmp_path, 5)
    (folder / "case_05_seg.nii.gz").unlink()
    scan, arrays = scan_of(folder)
    assert scan["verdict"] == "included"
    assert not scan["has_mask"]
    assert set(arrays) == {"image"}


@pytest.mark.parametrize("dialect", ["brats2020", "msd", "brats2024-ped"])
@pytest.mark.parametrize(("orientation", "tilt"), [("RAS", 0), ("PIR", 0), ("LPS", 20), ("SAR", 30)])
def test_arrays_do_not_depend_on_orientation_and_predictions_return_to_it(tmp_path, orientation, tilt, dialect):
    images, truth = tiny_subject(8)
    truth = labels.to_values(labels.to_classes(truth, "brats2020"), dialect)
    found = {}
    for name, placed in {"straight": ("LPS", 0), "turned": (orientation, tilt)}.items():
        folder = tmp_path / name
        for part, volume in [*images.items(), ("seg", truth)]:
            voxels, affine = turned(volume, *placed, (1.0, 1.0, 1.0))
            write_volume(folder / f"{name}_{part}.nii.gz", voxels, affine)
        found[name] = scan_of(folder, labels=dialect)
    (straight, expected), (scan, arrays) = found["straight"], found["turned"]
    assert scan["verdict"] == "included", scan["reason"]
    for name in ("image", "mask"):
        assert arrays[name].tobytes() == expected[name].tobytes()
        assert arrays[name].flags.c_contiguous
    for fact in ("hashes", "intensities", "classes", "crop", "shape", "spacing_mm", "tumor_ml"):
        assert scan[fact] == straight[fact]
    assert scan["own"]["orientation"] == orientation
    assert nib.aff2axcodes(np.array(scan["affine"])) == ("L", "P", "S")
    classes = labels.classes_of([dialect])
    channels = [labels.CLASSES.index(name) for name in classes]
    certain = np.float32(arrays["mask"][..., None] == channels)
    back = restore_classes(certain, json.loads(json.dumps(scan)), classes, "classes", {})
    # The mask file's own voxels and label values.
    assert (labels.to_values(back, dialect) == read_volume(tmp_path / "turned" / "turned_seg.nii.gz")[0]).all()


def test_the_hash_depends_only_on_the_voxels(tmp_path):
    first = write_subject(tmp_path, 1)
    same, other = tmp_path / "another_name", write_subject(tmp_path, 2)
    same.mkdir()
    for part in (*MODALITIES, "seg"):
        voxels, affine = read_volume(first / f"case_01_{part}.nii.gz")
        # Another data type, a background of -0.0, and an empty margin.
        voxels = np.pad(np.where(voxels == 0, -0.0, voxels), 3).astype(np.float64)
        nib.save(nib.Nifti1Image(voxels, affine), same / f"another_name_{part}.nii")
    hashes = [scan_of(folder)[0]["hashes"] for folder in (first, same, other)]
    assert hashes[0] == hashes[1]
    assert len({digest for found in hashes for digest in found.values()}) == 8
    resave(first / "case_01_t1.nii.gz", lambda v: v + (np.indices(v.shape).sum(0) == 60) * (v > 0))
    changed = scan_of(first)[0]["hashes"]
    assert [name for name in MODALITIES if changed[name] != hashes[0][name]] == ["t1"]


FORCED = {
    "nonfinite": ("t1", with_nan),
    "constant": ("t2", np.zeros_like),
    "mask_fractional": ("seg", lambda mask: mask / 2),
    "mask_values": ("seg", lambda mask: np.where(mask == 4, 9, mask)),
    "mask_empty": ("seg", np.zeros_like),
    "mask_outside": ("seg", lambda mask: np.roll(mask, 20, (0, 1, 2))),
}


@pytest.mark.parametrize("check", FORCED)
def test_a_forced_subject_is_included_with_its_warnings(tmp_path, check):
    folder = write_subject(tmp_path, 5)
    part, change = FORCED[check]
    resave(folder / f"case_05_{part}.nii.gz", change)
    scan, arrays = scan_of(folder)
    assert (scan["verdict"], arrays, scan["hashes"]) == ("excluded", {}, {})
    assert check in [finding["check"] for finding in scan["findings"] if finding["verdict"] == "excluded"]
    forced, arrays = scan_of(folder, forced=True)
    assert forced["verdict"] == "warned"
    assert {finding["verdict"] for finding in forced["findings"]} == {"warned"}
    assert scan["reason"] in forced["reason"]
    assert check in [finding["check"] for finding in forced["findings"]]
    assert arrays["image"].shape == (*arrays["mask"].shape, 4)
    assert np.isfinite(arrays["image"]).all()
    assert arrays["mask"].max() < len(labels.CLASSES)
    json.dumps(forced, allow_nan=False)


def test_a_forced_subject_without_possible_arrays_is_excluded(tmp_path):
    folder = write_subject(tmp_path, 7)
    scan, arrays = scan_of(folder, crop=[[50, 90], [0, 44], [0, 36]], forced=True)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert "the scan has 40x44x36 voxels, and the configured crop lies outside" in scan["reason"]
    scan, arrays = scan_of(folder, spacing_mm=0.05, forced=True)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert "of 0.05 mm, which are too many; check the spacing in the header" in scan["reason"]
    (folder / "case_07_t2.nii.gz").write_bytes(b"\x1f\x8bnothing")
    scan, arrays = scan_of(folder, forced=True)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert "case_07_t2.nii.gz cannot be read as NIfTI" in scan["reason"]
    assert {finding["check"] for finding in scan["findings"]} <= set(CHECKS)


def test_a_cavity_is_kept_but_is_not_tumor(tmp_path):
    folder = write_subject(tmp_path, 8)
    # Values of 2024: 1 necrosis, 2 edema, 3 enhancing, 4 cavity, here in a corner of the array.
    resave(folder / "case_08_seg.nii.gz", lambda v: np.where(v == 4, 3, v))
    resave(folder / "case_08_seg.nii.gz", lambda v: np.where((np.indices(v.shape) < 8).all(0), 4, v))
    scan, arrays = scan_of(folder, labels="brats2024", forced=True)
    assert scan["classes"]["cavity"] == 8**3
    assert scan["tumor_voxels"] == sum(scan["classes"][name] for name in ("necrosis", "edema", "enhancing"))
    assert [low for low, _ in scan["crop"]] == [0, 0, 0]
    assert (arrays["mask"] == labels.CLASSES.index("cavity")).sum() == 8**3


def test_a_mask_of_the_whole_tumor_and_finer_voxels(tmp_path):
    folder = write_subject(tmp_path, 4)
    assert scan_of(folder, spacing_mm=2.0)[0]["verdict"] == "included"
    resave(folder / "case_04_seg.nii.gz", lambda v: (v > 0).astype(np.uint8))
    scan, arrays = scan_of(folder)
    assert [finding["check"] for finding in scan["findings"]] == ["mask_one_value"]
    assert scan["verdict"] == "warned" and arrays["mask"].max() == 1
