"""Both forms of a header, sform and qform, are carried from a scan to what is written for it."""

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from click.testing import CliRunner
from studies import resave, scan_of, write_subject

import postprocess
from glioseg.files import write_json
from glioseg.predict.segment import Segmentation, write_segmentation
from glioseg.volumes.forms import apart, forms_of, has_orientation
from glioseg.volumes.nifti import open_nifti
from glioseg.volumes.orientation import rotation

LPS = np.diag([-1.0, -1, 1, 1])
TILTED = np.eye(4)
TILTED[:3, :3] = rotation(np.radians((10, 5, 20))) @ np.diag([-1, -1.2, 0.9])
TILTED[:3, 3] = 11.3, -7.7, 3.1
SHIFTED = LPS.copy()
SHIFTED[:3, 3] = 38, 0, -5
# sform and its code, qform and its code, unit.
HEADERS = {
    "two places": ((LPS, 2), (SHIFTED, 1), "mm"),
    "two places, talairach": ((SHIFTED, 3), (LPS, 4), "mm"),
    "qform alone": ((SHIFTED, 0), (TILTED, 1), "mm"),
    "sform alone": ((TILTED, 4), (SHIFTED, 0), "mm"),
    "both, oblique": ((TILTED, 1), (TILTED, 1), "unknown"),
    "neither": ((SHIFTED, 0), (TILTED, 0), "mm"),
}


def with_header(image, header):
    (sform, sform_code), (qform, qform_code), unit = header
    image.header.set_qform(qform, code=qform_code)
    image.header.set_sform(sform, code=sform_code)
    image.header.set_xyzt_units(unit)
    return image


def give(path, header):
    """Overwrite a file with another header, in which even a form whose code is 0 has numbers."""
    image = nib.load(path)
    nib.save(with_header(nib.Nifti1Image(np.asarray(image.dataobj), None), header), path)


def assert_placed_alike(one, other):
    ours, theirs = nib.load(one), nib.load(other)
    assert ours.shape == theirs.shape
    assert (ours.affine == theirs.affine).all()
    for form in ("sform", "qform"):
        assert (getattr(ours, f"get_{form}")() == getattr(theirs, f"get_{form}")()).all(), form
        assert ours.header[f"{form}_code"] == theirs.header[f"{form}_code"]
    assert ours.header.get_zooms() == theirs.header.get_zooms()
    ours, theirs = sitk.ReadImage(str(one)), sitk.ReadImage(str(other))
    for what in ("GetOrigin", "GetDirection", "GetSpacing", "GetSize"):
        assert getattr(ours, what)() == getattr(theirs, what)(), what


@pytest.mark.parametrize("name", HEADERS)
def test_whatever_is_written_for_a_scan_lies_where_the_scan_lies(tmp_path, name):
    folder = write_subject(tmp_path, 3)
    for path in folder.iterdir():
        give(path, HEADERS[name])
    scan, _ = scan_of(folder)
    assert scan["verdict"] in ("included", "warned"), scan["reason"]
    classes = np.zeros(scan["own"]["shape"], np.uint8)
    classes[10:20, 10:20, 10:20] = 2
    found = Segmentation(classes, {"WT": classes / np.float32(2)}, {}, "")
    write_segmentation(found, scan, "brats2020", tmp_path / "maps", tmp_path / "seg.nii.gz")
    write_json(tmp_path / "volumes.json", {"smallest_enhancing_ml": 0, "smallest_component_ml": 0})
    words = {"prediction": "seg.nii.gz", "volumes": "volumes.json", "measured": "kept.json", "output": "kept.nii.gz"}
    words = [word for key, file in words.items() for word in (f"--{key}", str(tmp_path / file))]
    done = CliRunner().invoke(postprocess.postprocess, [*words, "--labels", "brats2020"])
    assert done.exit_code == 0, done.output
    for path in (tmp_path / "seg.nii.gz", tmp_path / "maps/WT.nii.gz", tmp_path / "kept.nii.gz"):
        assert_placed_alike(path, folder / "case_03_flair.nii.gz")
        assert (nib.load(path).header.get_intent()[0] == "label") == (path.name != "WT.nii.gz"), path


def test_two_places_and_no_orientation_are_warned_of(tmp_path):
    folder = write_subject(tmp_path, 3)
    assert scan_of(folder)[0]["verdict"] == "included"
    give(folder / "case_03_t1.nii.gz", HEADERS["two places"])
    scan, arrays = scan_of(folder)
    assert [finding["check"] for finding in scan["findings"]] == ["placement"]
    assert scan["reason"].startswith("sform and qform of t1 differ by up to 38.3 mm; the sform is used")
    assert scan["verdict"] == "warned" and arrays
    for path in folder.iterdir():
        give(path, HEADERS["neither"])
    scan, arrays = scan_of(folder)
    assert [finding["check"] for finding in scan["findings"]] == ["placement"]
    assert "the headers of flair, t1, t1ce, t2, seg have no orientation" in scan["reason"]
    assert scan["verdict"] == "warned" and arrays


def test_a_mask_without_orientation_is_reported_as_that(tmp_path):
    folder = write_subject(tmp_path, 3)
    give(folder / "case_03_seg.nii.gz", HEADERS["neither"])
    scan, arrays = scan_of(folder)
    assert (scan["verdict"], arrays) == ("excluded", {})
    assert [finding["check"] for finding in scan["findings"]] == ["orientation"]
    assert scan["reason"].startswith("seg has no orientation in the header (its sform_code and qform_code are 0), but ")


def test_forms_that_differ_by_less_than_half_a_voxel_are_not_warned_of(tmp_path):
    close, far = LPS.copy(), LPS.copy()
    close[0, 3], far[0, 3] = 0.49, 0.51
    for qform, verdict in ((close, "included"), (far, "warned")):
        folder = write_subject(tmp_path / verdict, 3)
        give(folder / "case_03_t2.nii.gz", ((LPS, 1), (qform, 1), "mm"))
        assert scan_of(folder)[0]["verdict"] == verdict


def test_a_qform_that_is_not_a_rotation_is_warned_of(tmp_path):
    folder = write_subject(tmp_path, 3)
    path = folder / "case_03_t1.nii.gz"
    image = with_header(nib.Nifti1Image(np.asarray(nib.load(path).dataobj), None), HEADERS["both, oblique"])
    image.header["quatern_b"] = 7
    nifti = forms_of(image.header)
    assert has_orientation(nifti)
    assert apart(nifti, (2, 2, 2)) == (np.inf, np.inf)
    image.header["quatern_b"] = np.nan
    assert forms_of(image.header)["quaternion"][0] == 0


def test_forms_are_read_from_a_file(tmp_path):
    folder = write_subject(tmp_path, 3)
    resave(folder / "case_03_t1.nii.gz", affine=TILTED)
    found = open_nifti(folder / "case_03_t1.nii.gz").forms
    assert (found["qform_code"], found["sform_code"], found["unit"]) == (0, 2, 2)
    assert np.allclose(found["rows"], TILTED[:3])
