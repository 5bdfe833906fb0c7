"""NRRD, MetaImage, pairs of .hdr and .img, and DICOM folders are read as NIfTI is."""

import locale
import shutil

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from studies import MODALITIES, SETTINGS, scan_of, write_subject

from glioseg.preprocess.scan import preprocess_scan
from glioseg.volumes.forms import has_orientation
from glioseg.volumes.nifti import open_nifti, read_volume, write_volume
from glioseg.volumes.orientation import rotation

TILTED = np.eye(4)
TILTED[:3, :3] = rotation(np.radians((10, 5, 20))) @ np.diag([-1, -1.2, 0.9])
TILTED[:3, 3] = 11.3, -7.7, 3.1


@pytest.fixture
def scan(tmp_path):
    """A NIfTI file of int16 voxels on an oblique grid."""
    voxels = np.random.default_rng(0).integers(-50, 900, (7, 6, 5)).astype(np.int16)
    write_volume(tmp_path / "scan.nii.gz", voxels, TILTED)
    return tmp_path / "scan.nii.gz"


def write_dicom(image, folder):
    """Write each slice of a volume (SimpleITK) as a DICOM file of one series."""
    folder.mkdir()
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    directions = image.GetDirection()
    turned = "\\".join(f"{directions[index]:.10f}" for index in (0, 3, 6, 1, 4, 7))
    for index in range(image.GetSize()[2]):
        part = image[:, :, index]
        position = image.TransformIndexToPhysicalPoint((0, 0, index))
        for key, value in {
            "0008|0060": "MR",
            "0008|0018": f"1.2.3.{index + 1}",
            "0020|000e": "1.2.3",
            "0020|0013": str(index),
            "0020|0032": "\\".join(f"{number:.8f}" for number in position),
            "0020|0037": turned,
        }.items():
            part.SetMetaData(key, value)
        writer.SetFileName(str(folder / f"IM{9 - index:04d}.dcm"))
        writer.Execute(part)


def made(scan, kind):
    """Write a scan in another format; return the file or folder."""
    path = scan.parent / f"made{kind}"
    image = sitk.ReadImage(str(scan))
    if kind == "dicom":
        before = locale.setlocale(locale.LC_ALL)
        write_dicom(image, path)
        locale.setlocale(locale.LC_ALL, before)  # SimpleITK changes it
    elif kind == ".img":
        nifti = nib.load(scan)
        nib.save(nib.Nifti1Pair(np.asarray(nifti.dataobj), None, nifti.header), path)
    else:
        sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("kind", [".nrrd", ".nhdr", ".mha", ".mhd", ".img", "dicom"])
def test_every_format_is_read_as_nifti(scan, kind):
    voxels, affine = read_volume(scan)
    encoding = locale.getencoding()
    found, placed = read_volume(made(scan, kind))
    assert locale.getencoding() == encoding
    assert found.dtype == np.float32
    assert (found == voxels).all()
    assert np.allclose(placed, affine, atol=1e-4)
    # What is written for such a scan lies where the scan lies.
    forms = open_nifti(made_path(scan, kind)).forms
    assert has_orientation(forms)
    write_volume(scan.parent / "seg.nii.gz", voxels, placed, forms)
    ours, theirs = sitk.ReadImage(str(scan.parent / "seg.nii.gz")), sitk.ReadImage(str(scan))
    for what in ("GetOrigin", "GetDirection", "GetSpacing"):
        assert np.allclose(getattr(ours, what)(), getattr(theirs, what)(), atol=1e-4), what


def made_path(scan, kind):
    return scan.parent / f"made{kind}"


def test_volumes_of_a_4d_file_are_read_in_every_format(tmp_path):
    voxels = np.random.default_rng(0).integers(0, 900, (4, 5, 6, 3)).astype(np.int16)
    image = sitk.JoinSeries([sitk.GetImageFromArray(voxels[..., index].T) for index in range(3)])
    sitk.WriteImage(image, str(tmp_path / "all.mha"))
    vectors = sitk.GetImageFromArray(np.moveaxis(voxels, -1, 0).T.copy(), isVector=True)
    sitk.WriteImage(vectors, str(tmp_path / "all.nrrd"))
    for name in ("all.mha", "all.nrrd"):
        for index in range(3):
            assert (read_volume(tmp_path / name, index)[0] == voxels[..., index]).all()


def test_analyze_has_no_orientation(tmp_path):
    voxels = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    nib.save(nib.AnalyzeImage(voxels, np.diag([-1.0, 1, 2, 1])), tmp_path / "old.img")
    found = open_nifti(tmp_path / "old.img")
    assert (found.voxels[..., 0] == voxels).all()
    assert not has_orientation(found.forms)
    write_volume(tmp_path / "seg.nii.gz", voxels, found.affine, found.forms)
    assert (nib.load(tmp_path / "seg.nii.gz").affine == found.affine).all()


def test_what_cannot_be_read_is_named(scan):
    for kind in (".nrrd", ".mha", ".img"):
        path = made(scan, kind)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - 100])
        with pytest.raises(ValueError, match=f"made{kind} cannot be read as an image"):
            pytest.fail(f"{kind} was read: {read_volume(path)}")
    path = scan.with_name("pointer.mha")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    with pytest.raises(ValueError, match=r"pointer.mha is a Git LFS pointer"):
        read_volume(path)
    shutil.copy(made(scan, ".mhd"), scan.with_name("named.nii"))
    with pytest.raises(ValueError, match=r"named.nii is a MetaImage file; let its name end in .mha"):
        read_volume(scan.with_name("named.nii"))
    with pytest.raises(ValueError, match=r"nowhere.mha cannot be read as an image"):
        read_volume(scan.with_name("nowhere.mha"))


def test_a_folder_that_is_not_one_complete_series_is_refused(scan):
    folder = made(scan, "dicom")
    (folder / "IM0007.dcm").unlink()
    with pytest.raises(ValueError, match=r"its 4 slices are 0.9 to 1.8 mm apart; expected even distances"):
        read_volume(folder)
    (scan.parent / "empty").mkdir()
    with pytest.raises(ValueError, match="it holds no DICOM series; expected one"):
        read_volume(scan.parent / "empty")


def test_a_subject_in_other_formats_gives_the_same_arrays(tmp_path):
    folder = write_subject(tmp_path, 3)
    expected, arrays = scan_of(folder)
    endings = dict(zip(MODALITIES, (".nrrd", ".mha", ".mhd", ".nhdr"), strict=True))
    for name, ending in endings.items():
        image = sitk.ReadImage(str(folder / f"case_03_{name}.nii.gz"))
        sitk.WriteImage(image, str(tmp_path / f"{name}{ending}"))
    files = {name: (tmp_path / f"{name}{ending}", 0) for name, ending in endings.items()}
    scan, found = preprocess_scan("case_03", files, (folder / "case_03_seg.nii.gz", 0), SETTINGS)
    assert scan["verdict"] == "included", scan["reason"]
    assert (found["image"] == arrays["image"]).all()
    assert (found["mask"] == arrays["mask"]).all()
    assert scan["hashes"] == expected["hashes"]
