"""From scan files to arrays and back."""

import json

import nibabel as nib
import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from conftest import ROOT, tiny_subject, write_subject
from sklearn.preprocessing import MinMaxScaler

from glioseg.phantoms import AFFINE, phantom
from glioseg.preprocessing import preprocess_scan, restore_classes
from glioseg.volumes import write_volume
from preprocess import main

SETTINGS = {
    "modalities": ("flair", "t1", "t1ce", "t2"),
    "labels": "brats2020",
    "spacing_mm": 1.0,
    "crop": "brain",
    "normalization": "zscore",
    "min_tumor_percent": 0.0,
}


def scan_of(folder, **changes):
    """Preprocess a folder in BraTS's layout."""
    files = {path.name.removeprefix(f"{folder.name}_").split(".")[0]: path for path in folder.iterdir()}
    mask = files.pop("seg", None)
    return preprocess_scan(folder.name, files, mask, SETTINGS | changes)


def test_original_preset_equals_its_recipe(tmp_path):
    images, truth = phantom("phantom_009", 42)
    for name, volume in [*images.items(), ("seg", truth)]:
        write_volume(tmp_path / "p" / f"p_{name}.nii.gz", volume, AFFINE)
    preset = yaml.safe_load((ROOT / "presets/original.yaml").read_text())
    assert preset["modalities"] == ["flair", "t1ce", "t2"]
    files = {name: tmp_path / "p" / f"p_{name}.nii.gz" for name in preset["modalities"]}
    settings = preset["preprocess"] | {"modalities": preset["modalities"], "labels": "brats2020"}
    scan, arrays = preprocess_scan("p", files, tmp_path / "p" / "p_seg.nii.gz", settings | {"min_tumor_percent": 0.0})

    # The recipe, step by step as its README has it.
    stack = []
    for name in ("flair", "t1ce", "t2"):
        volume = nib.load(files[name]).get_fdata()
        stack.append(MinMaxScaler().fit_transform(volume.reshape(-1, volume.shape[-1])).reshape(volume.shape))
    mask = nib.load(tmp_path / "p" / "p_seg.nii.gz").get_fdata().astype(np.uint8)
    mask[mask == 4] = 3
    expected = np.stack(stack, axis=3)[56:184, 56:184, 13:141]
    mask = mask[56:184, 56:184, 13:141]

    assert arrays["image"].shape == (128, 128, 128, 3)
    assert np.abs(arrays["image"].astype(np.float64) - expected).max() <= 2**-11
    assert (arrays["mask"] == mask).all()
    assert scan["tumor_percent"] == pytest.approx(100 * (mask > 0).mean())
    assert scan["tumor_voxels_lost"] == (truth > 0).sum() - (mask > 0).sum() > 0

    strict = settings | {"min_tumor_percent": scan["tumor_percent"] + 0.1}
    excluded, nothing = preprocess_scan("p", files, tmp_path / "p" / "p_seg.nii.gz", strict)
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
    probabilities = np.eye(4, dtype=np.float32)[arrays["mask"]]
    back = restore_classes(probabilities, json.loads(json.dumps(scan)))
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


def test_the_command_writes_whole_files_and_refuses_unknown_names(tmp_path):
    folder = write_subject(tmp_path, 6)
    words = ["--subject", "case_06", "--labels", "brats2020", "--spacing-mm", "1", "--crop", "brain"]
    words += ["--min-tumor-percent", "0", "--output", str(tmp_path / "out"), "--modalities", "flair"]
    words += ["--image", "flair", str(folder / "case_06_flair.nii.gz"), "--mask", str(folder / "case_06_seg.nii.gz")]
    done = CliRunner().invoke(main, [*words, "--normalization", "zscore"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["image.npy", "mask.npy", "scan.json"]
    refused = CliRunner().invoke(main, [*words, "--normalization", "histogram"])
    assert refused.exit_code == 1
    assert (
        "normalization: 'histogram' is not known; known are zscore, percentile, minmax, minmax_slice" in refused.output
    )
