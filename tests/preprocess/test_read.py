"""The volumes of a scan are read together, and missing or inconsistent files are reported."""

import nibabel as nib
import numpy as np
from studies import MODALITIES, SETTINGS, scan_of, tiny_subject, write_subject

from glioseg.preprocess.scan import preprocess_scan
from glioseg.volumes.nifti import read_volume, write_volume


def test_modalities_may_share_a_file(tmp_path):
    separate = scan_of(write_subject(tmp_path, 3))
    images, truth = tiny_subject(3)
    path, mask = tmp_path / "all.nii.gz", (tmp_path / "mask.nii.gz", 0)
    order = ["t2", "flair", "t1ce", "t1"]
    affine = np.diag([-1.0, -1, 1, 1])
    nib.save(nib.Nifti1Image(np.stack([images[name] for name in order], -1), affine), path)
    write_volume(mask[0], truth, affine)
    files = {name: (path, order.index(name)) for name in MODALITIES}
    scan, arrays = preprocess_scan("case_03", files, mask, SETTINGS)
    assert (arrays["image"] == separate[1]["image"]).all()
    assert scan["hashes"] == separate[0]["hashes"]
    _, image = preprocess_scan("case_03", {"t2": files["t2"]}, mask, SETTINGS | {"modalities": ["t2"]})
    assert (image["image"][..., 0] == arrays["image"][..., 3]).all()
    # A 4-D file among 3-D files is a mistake, and so is the index 4 in a file with four volumes.
    odd = {name: (tmp_path / "case_03" / f"case_03_{name}.nii.gz", 0) for name in MODALITIES} | {"t2": (path, 0)}
    scan, arrays = preprocess_scan("case_03", odd, mask, SETTINGS)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert scan["reason"] == f"{path} holds 4 volumes; expected only t2: export that volume alone"
    scan, arrays = preprocess_scan("case_03", files | {"t2": (path, 4)}, mask, SETTINGS)
    assert "holds 4 volumes, numbered from 0; expected one with index 4" in scan["reason"]


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


def test_inconsistent_headers_exclude_unless_forced(tmp_path):
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
        # Volumes of different shapes cannot be stacked.
        assert scan["verdict"] == ("excluded" if check == "shape" else "warned")
        assert bool(arrays) == (check != "shape")
