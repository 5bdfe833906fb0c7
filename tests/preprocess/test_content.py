"""Modalities that are one image, or of which normalization leaves nothing, exclude a scan."""

import shutil

import nibabel as nib
import numpy as np
import pytest
from studies import MODALITIES, SETTINGS, resave, scan_of, tiny_subject, write_subject

from glioseg.preprocess import content
from glioseg.preprocess.normalize import NORMALIZATIONS
from glioseg.preprocess.scan import preprocess_scan


def checks_of(scan):
    return [finding["check"] for finding in scan["findings"]]


def test_one_volume_of_a_file_for_every_modality_excludes(tmp_path):
    images, _ = tiny_subject(3)
    path = tmp_path / "all.nii.gz"
    nib.save(nib.Nifti1Image(np.stack(list(images.values()), -1), np.diag([-1.0, -1, 1, 1])), path)
    scan, arrays = preprocess_scan("p", dict.fromkeys(MODALITIES, (path, 0)), None, SETTINGS)
    assert (scan["verdict"], arrays, checks_of(scan)) == ("excluded", {}, ["same_image"])
    assert scan["reason"].startswith(f"flair, t1, t1ce, t2 are the same volume 0 of {path}; expected a file for each")
    assert f"such as {path}:1" in scan["reason"]
    # Two of them, through a link.
    (tmp_path / "link.nii.gz").symlink_to(path)
    files = {"flair": (path, 0), "t1": (path, 1), "t1ce": (path, 2), "t2": (tmp_path / "link.nii.gz", 1)}
    scan, _ = preprocess_scan("p", files, None, SETTINGS)
    assert scan["reason"].startswith(f"t1, t2 are the same volume 1 of {path}")
    scan, _ = preprocess_scan("p", files | {"t2": (path, 3)}, None, SETTINGS)
    assert scan["verdict"] == "included", scan["reason"]
    scan, _ = preprocess_scan("p", files | {"t2": (path, 3)}, (path, 0), SETTINGS)
    assert scan["reason"].startswith("flair, seg are the same volume 0")


def test_two_files_with_the_same_voxels_exclude_unless_forced(tmp_path):
    folder = write_subject(tmp_path, 3)
    shutil.copy(folder / "case_03_t1.nii.gz", folder / "case_03_t2.nii.gz")
    # Another data type does not hide it.
    resave(folder / "case_03_t2.nii.gz", lambda voxels: voxels.astype(np.float64))
    scan, arrays = scan_of(folder)
    assert (scan["verdict"], arrays, checks_of(scan)) == ("excluded", {}, ["same_image"])
    assert scan["reason"] == "t1, t2 hold the same voxels; replace the wrong file"
    assert scan["hashes"] == {}
    scan, arrays = scan_of(folder, forced=True)
    assert (scan["verdict"], checks_of(scan)) == ("warned", ["same_image"])
    assert arrays["image"].any()
    assert content.same_voxels({"t1": "a", "t2": "b"}) is None


def one_voxel(value):
    def change(voxels):
        voxels = voxels.astype(np.float64)
        voxels[20, 22, 18] = value
        return voxels

    return change


def almost_empty(voxels):
    voxels = np.zeros_like(voxels)
    voxels[20, 22, 18] = 500
    return voxels


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("change", [one_voxel(1e9), one_voxel(-1e8), one_voxel(1e7), almost_empty])
def test_a_modality_of_which_nothing_is_left_excludes(tmp_path, normalization, change):
    folder = write_subject(tmp_path, 3)
    whole = scan_of(folder, normalization=normalization)[1]["image"]
    resave(folder / "case_03_t1.nii.gz", change)
    scan, arrays = scan_of(folder, normalization=normalization)
    if change is almost_empty or normalization in ("zscore", "minmax"):
        assert (scan["verdict"], arrays) == ("excluded", {})
        assert checks_of(scan)[-1] == "no_contrast"
        assert "nothing is left of t1 after normalization: 99 % of the brain lies within" in scan["reason"]
        assert scan_of(folder, normalization=normalization, forced=True)[0]["verdict"] == "warned"
    else:
        assert "no_contrast" not in checks_of(scan)
        # The one voxel changes nothing else, or the slice that holds it.
        near = np.isclose(arrays["image"][..., 1], whole[..., 1], atol=0.02)
        assert near.mean() > (0.95 if normalization == "minmax_slice" else 0.99)


def test_no_contrast_by_hand():
    values = np.linspace(-2, 2, 1001)
    inside = {"minimum": 0.0, "maximum": 1e9}
    assert content.no_contrast("t1", values, 1.0, inside) is None
    assert content.no_contrast("t1", values / 100, 0.0, inside) is None
    assert "t1" in content.no_contrast("t1", values / 5, 1.0, inside)
    assert "reach from 0 to 1e+09" in content.no_contrast("t1", values / 1000, 0.0, inside)
    assert content.no_contrast("t1", values[:0], 0.0, inside) is None
