"""From scan files to arrays and back."""

import json

import nibabel as nib
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from cohorts import turned
from conftest import MODALITIES, ROOT, SETTINGS, resave, tiny_subject, write_subject
from sklearn.preprocessing import MinMaxScaler

from glioseg import labels
from glioseg.predict.restore import restore_classes
from glioseg.preprocess.findings import CHECKS
from glioseg.preprocess.normalize import NORMALIZATIONS, intensities
from glioseg.preprocess.scan import preprocess_scan
from glioseg.synthesize.phantoms import AFFINE, phantom
from glioseg.volumes.nifti import read_volume, write_volume
from preprocess import main


def scan_of(folder, **changes):
    """Preprocess a folder in BraTS's layout."""
    files = {path.name.removeprefix(f"{folder.name}_").split(".")[0]: (path, 0) for path in folder.iterdir()}
    mask = files.pop("seg", None)
    return preprocess_scan(folder.name, files, mask, SETTINGS | changes)


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

    # The recipe, step by step as its README has it.
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


def test_arrays_and_what_scan_json_says_of_them(tmp_path):
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


def test_a_crop_that_cuts_tumor_says_so(tmp_path):
    scan, arrays = scan_of(write_subject(tmp_path, 3), crop=[[0, 20], [0, 44], [0, 99]])
    _, mask = tiny_subject(3)
    assert scan["tumor_voxels_lost"] == (mask[20:] > 0).sum() > 0
    assert arrays["mask"].shape == (20, 44, 36)


@pytest.mark.parametrize("spacing", [(1, 1, 1), (2, 1, 1), (0.9, 1.2, 3.0)])
def test_classes_come_back_to_the_scans_grid(tmp_path, spacing):
    folder = write_subject(tmp_path, 4, affine=np.diag([*spacing, 1.0]))
    scan, arrays = scan_of(folder)
    assert scan["spacing_mm"] == pytest.approx(spacing)
    classes = labels.classes_of(["brats2020"])
    probabilities = np.eye(len(classes), dtype=np.float32)[arrays["mask"]]
    back = restore_classes(probabilities, json.loads(json.dumps(scan)), classes, "classes")
    truth = tiny_subject(4)[1]
    truth[truth == 4] = 3
    assert back.shape == truth.shape
    agreement = 2 * ((back > 0) & (truth > 0)).sum() / ((back > 0).sum() + (truth > 0).sum())
    assert agreement == 1 if spacing == (1, 1, 1) else agreement > 0.95
    assert (back == truth).mean() > 0.99


def test_a_scan_without_mask_is_taken(tmp_path):
    folder = write_subject(tmp_path, 5)
    (folder / "case_05_seg.nii.gz").unlink()
    scan, arrays = scan_of(folder)
    assert scan["verdict"] == "taken"
    assert not scan["has_mask"]
    assert set(arrays) == {"image"}


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_part_is_normalized_as_the_whole(tmp_path, normalization):
    # A brain that touches its box's faces everywhere: without a margin, the background would be missing in a minimum.
    folder = write_subject(tmp_path, 7)
    for path in folder.iterdir():
        resave(path, lambda v: np.where(np.indices(v.shape).min(0) >= 5, np.maximum(v, "seg" not in path.name), 0))  # noqa: B023
    scan, arrays = scan_of(folder, normalization=normalization)
    volume, _ = read_volume(folder / "case_07_flair.nii.gz")
    values = volume[volume != 0]
    expected = NORMALIZATIONS[normalization](volume, values, intensities(values))
    if expected.ndim == 1:
        expected, values = np.zeros_like(volume), expected
        expected[volume != 0] = values
    assert scan["crop"] == [[5, 40], [5, 44], [5, 36]]
    assert (arrays["image"][..., 0] == expected[5:, 5:, 5:].astype(np.float16)).all()


@pytest.mark.parametrize("dialect", ["brats2020", "msd", "brats2024-ped"])
@pytest.mark.parametrize(("orientation", "tilt"), [("RAS", 0), ("PIR", 0), ("LPS", 20), ("SAR", 30)])
def test_a_scan_is_the_same_in_every_orientation_and_goes_back_to_its_own(tmp_path, orientation, tilt, dialect):
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
    assert scan["verdict"] == "taken", scan["reason"]
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
    back = restore_classes(certain, json.loads(json.dumps(scan)), classes, "classes")
    # The file's own voxels, one by one, in its own values.
    assert (labels.to_values(back, dialect) == read_volume(tmp_path / "turned" / "turned_seg.nii.gz")[0]).all()


def test_the_hash_knows_a_scan_by_its_voxels(tmp_path):
    first = write_subject(tmp_path, 1)
    same, other = tmp_path / "another_name", write_subject(tmp_path, 2)
    same.mkdir()
    for part in (*MODALITIES, "seg"):
        voxels, affine = read_volume(first / f"case_01_{part}.nii.gz")
        # Another type, another background's sign, a larger empty frame.
        voxels = np.pad(np.where(voxels == 0, -0.0, voxels), 3).astype(np.float64)
        nib.save(nib.Nifti1Image(voxels, affine), same / f"another_name_{part}.nii")
    hashes = [scan_of(folder)[0]["hashes"] for folder in (first, same, other)]
    assert hashes[0] == hashes[1]
    assert len({digest for found in hashes for digest in found.values()}) == 8
    resave(first / "case_01_t1.nii.gz", lambda v: v + (np.indices(v.shape).sum(0) == 60) * (v > 0))
    changed = scan_of(first)[0]["hashes"]
    assert [name for name in MODALITIES if changed[name] != hashes[0][name]] == ["t1"]


def test_modalities_may_share_a_file(tmp_path):
    apart = scan_of(write_subject(tmp_path, 3))
    images, truth = tiny_subject(3)
    path, mask = tmp_path / "all.nii.gz", (tmp_path / "mask.nii.gz", 0)
    order = ["t2", "flair", "t1ce", "t1"]
    affine = np.diag([-1.0, -1, 1, 1])
    nib.save(nib.Nifti1Image(np.stack([images[name] for name in order], -1), affine), path)
    write_volume(mask[0], truth, affine)
    files = {name: (path, order.index(name)) for name in MODALITIES}
    scan, arrays = preprocess_scan("case_03", files, mask, SETTINGS)
    assert (arrays["image"] == apart[1]["image"]).all()
    assert scan["hashes"] == apart[0]["hashes"]
    assert scan["volumes"] == {"flair": 1, "t1": 3, "t1ce": 2, "t2": 0, "seg": 0}
    _, image = preprocess_scan("case_03", {"t2": files["t2"]}, mask, SETTINGS | {"modalities": ["t2"]})
    assert (image["image"][..., 0] == arrays["image"][..., 3]).all()
    # Among files of their own, a file with several is a mistake; and no file has a fifth of four.
    odd = {name: (tmp_path / "case_03" / f"case_03_{name}.nii.gz", 0) for name in MODALITIES} | {"t2": (path, 0)}
    scan, arrays = preprocess_scan("case_03", odd, mask, SETTINGS)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert scan["reason"] == f"{path} holds 4 volumes; expected one t2: export that one alone"
    scan, arrays = preprocess_scan("case_03", files | {"t2": (path, 4)}, mask, SETTINGS)
    assert "holds 4 volumes, from 0 on; expected one with the index 4" in scan["reason"]


def test_a_missing_modality_excludes_or_is_zeros(tmp_path):
    folder = write_subject(tmp_path, 4)
    whole = scan_of(folder)[1]["image"]
    (folder / "case_04_t1ce.nii.gz").unlink()
    scan, arrays = scan_of(folder)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert scan["reason"] == "no file for t1ce; expected flair, t1, t1ce, t2, found flair, t1, t2"
    assert scan["missing_modalities"] == ["t1ce"]
    for changes in ({"missing": "zeros"}, {"forced": True}):
        scan, arrays = scan_of(folder, **changes)
        assert scan["verdict"] == "warned"
        assert [finding["check"] for finding in scan["findings"]] == ["missing"]
        assert not arrays["image"][..., 2].any()
        assert (arrays["image"][..., [0, 1, 3]] == whole[..., [0, 1, 3]]).all()
        assert set(scan["intensities"]) == set(scan["hashes"]) == {"flair", "t1", "t2"}
    for part in ("flair", "t1", "t2"):
        (folder / f"case_04_{part}.nii.gz").unlink()
    assert scan_of(folder, missing="zeros", forced=True)[0]["verdict"] == "excluded"


FORCED = {
    "nonfinite": ("t1", with_nan),
    "constant": ("t2", np.zeros_like),
    "mask_fractional": ("seg", lambda mask: mask / 2),
    "mask_values": ("seg", lambda mask: np.where(mask == 4, 9, mask)),
    "mask_empty": ("seg", np.zeros_like),
    "mask_outside": ("seg", lambda mask: np.roll(mask, 20, (0, 1, 2))),
}


@pytest.mark.parametrize("check", FORCED)
def test_a_subject_is_forced_in_with_its_sentences(tmp_path, check):
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


def test_headers_that_disagree_exclude_unless_forced(tmp_path):
    folder = write_subject(tmp_path, 6)
    voxels, affine = read_volume(folder / "case_06_t1.nii.gz")
    for check, (shape, change) in {
        "affine": (None, np.array([[0, 0, 0, 9.0], [0] * 4, [0] * 4, [0] * 4])),
        "spacing": (None, np.diag([0, 0, 0.5, 0])),
        "orientation": (None, np.diag([2.0, 0, 0, 0])),
        "shape": ((slice(1, None),), np.zeros((4, 4))),
    }.items():
        nib.save(nib.Nifti1Image(voxels[shape or ()], affine + change), folder / "case_06_t1.nii.gz")
        scan, arrays = scan_of(folder)
        assert [finding["check"] for finding in scan["findings"]] == [check]
        assert (scan["verdict"], arrays) == ("excluded", {})
        scan, arrays = scan_of(folder, forced=True)
        # Nothing can be stacked of different shapes.
        assert scan["verdict"] == ("excluded" if check == "shape" else "warned")
        assert bool(arrays) == (check != "shape")


def test_what_can_not_become_an_array_says_so(tmp_path):
    folder = write_subject(tmp_path, 7)
    scan, arrays = scan_of(folder, crop=[[50, 90], [0, 44], [0, 36]], forced=True)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert "its 40x44x36 voxels do not reach into the configured crop" in scan["reason"]
    scan, arrays = scan_of(folder, spacing_mm=0.05, forced=True)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert "of 0.05 mm; check the spacing in its header" in scan["reason"]
    (folder / "case_07_t2.nii.gz").write_bytes(b"\x1f\x8bnothing")
    scan, arrays = scan_of(folder, forced=True)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert "case_07_t2.nii.gz cannot be read as NIfTI" in scan["reason"]
    assert {finding["check"] for finding in scan["findings"]} <= set(CHECKS)


def test_a_cavity_is_kept_and_no_tumor(tmp_path):
    folder = write_subject(tmp_path, 8)
    # 2024's values: 1 necrosis, 2 edema, 3 enhancing, 4 cavity, here in the brain's corner.
    resave(folder / "case_08_seg.nii.gz", lambda v: np.where(v == 4, 3, v))
    resave(folder / "case_08_seg.nii.gz", lambda v: np.where((np.indices(v.shape) < 8).all(0), 4, v))
    scan, arrays = scan_of(folder, labels="brats2024", forced=True)
    assert scan["classes"]["cavity"] == 8**3
    assert scan["tumor_voxels"] == sum(scan["classes"][name] for name in ("necrosis", "edema", "enhancing"))
    assert [low for low, _ in scan["crop"]] == [0, 0, 0]
    assert (arrays["mask"] == labels.CLASSES.index("cavity")).sum() == 8**3


def test_the_command_writes_whole_files_and_refuses_unknown_names(tmp_path):
    folder = write_subject(tmp_path, 6)
    words = ["--subject", "case_06", "--labels", "brats2020", "--spacing-mm", "1", "--crop", "brain"]
    words += ["--min-tumor-percent", "0", "--output", str(tmp_path / "out"), "--modalities", "flair"]
    words += ["--image", "flair", str(folder / "case_06_flair.nii.gz"), "0"]
    words += ["--mask", str(folder / "case_06_seg.nii.gz"), "0", "--forced", "False", "--missing"]
    done = CliRunner().invoke(main, [*words, "exclude", "--normalization", "zscore"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["image.npy", "mask.npy", "scan.json"]
    # What is excluded now leaves no arrays of an earlier run.
    wanting = [*words, "exclude", "--normalization", "zscore", "--min-tumor-percent", "90"]
    assert "case_06: excluded: " in CliRunner().invoke(main, wanting).output
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scan.json"]
    refused = CliRunner().invoke(main, [*words, "exclude", "--normalization", "histogram"])
    assert refused.exit_code == 1
    assert (
        "normalization: 'histogram' is not known; known are zscore, percentile, minmax, minmax_slice" in refused.output
    )
    refused = CliRunner().invoke(main, [*words, "ignore", "--normalization", "zscore"])
    assert refused.exit_code == 1
    assert "missing: 'ignore' is not known; known are exclude, zeros" in refused.output
