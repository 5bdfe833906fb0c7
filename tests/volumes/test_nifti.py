"""NIfTI files are read as by nibabel, and invalid files are refused."""

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from glioseg.volumes.nifti import read_volume, write_label_map, write_map, write_volume


def test_invalid_files_are_refused_with_a_reason(tmp_path):
    path = tmp_path / "scan.nii.gz"
    nib.save(nib.Nifti1Image(np.random.default_rng(0).normal(size=(9, 9, 9)), np.eye(4)), path)
    packed = path.read_bytes()
    content = gzip.decompress(packed)
    damaged = {
        "half of the file": packed[: len(packed) // 2],
        "without its checksum": packed[:-8],
        "with a wrong checksum": packed[:-8] + bytes(4) + packed[-4:],
        "with a wrong length": packed[:-4] + bytes(4),
        "not an image": gzip.compress(bytes(range(1, 255)) * 4),
        "fewer voxels than its header states": gzip.compress(content[:-1]),
        "more voxels than any machine holds": gzip.compress(content[:42] + b"\xff\x7f" * 3 + content[48:]),
    }
    for what, bytes_ in damaged.items():
        path.write_bytes(bytes_)
        with pytest.raises(ValueError, match=r"scan.nii.gz cannot be read as NIfTI \(.+\); copy the file again"):
            pytest.fail(f"{what} was read: {read_volume(path)}")
    with pytest.raises(ValueError, match=r"nowhere.nii cannot be read as NIfTI \(FileNotFoundError"):
        read_volume(tmp_path / "nowhere.nii")
    nib.save(nib.Nifti1Image(np.zeros((3, 3)), np.eye(4)), path)
    with pytest.raises(ValueError, match=r"holds an array of shape \(3, 3\); expected a 3-D volume"):
        read_volume(path)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3, 2)), np.eye(4)), path)
    with pytest.raises(ValueError, match="holds 2 volumes, numbered from 0; expected one with index 2"):
        read_volume(path, 2)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.complex64), np.eye(4)), path)
    with pytest.raises(ValueError, match="voxels of type complex64; expected one real number per voxel"):
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
    # A file named .nii that is compressed, not compressed, or compressed in several parts.
    packed = (tmp_path / "scan.nii.gz").read_bytes()
    content = gzip.decompress(packed)
    for bytes_ in (packed, content, gzip.compress(content[:500]) + gzip.compress(content[500:]) + bytes(3)):
        (tmp_path / "odd.nii").write_bytes(bytes_)
        assert (read_volume(tmp_path / "odd.nii", 1)[0] == found).all()


def test_a_map_is_stored_as_uint8_and_read_as_floating_point(tmp_path):
    values = np.linspace(-0.1, 1.1, 1000, dtype=np.float32).reshape(10, 10, 10)
    write_map(tmp_path / "map.nii.gz", values, np.diag([1.0, 2, 3, 1]))
    image = nib.load(tmp_path / "map.nii.gz")
    assert image.get_data_dtype() == np.uint8
    assert image.header.get_zooms() == (1, 2, 3)
    for read in (np.asarray(image.dataobj), read_volume(tmp_path / "map.nii.gz")[0]):
        assert read == pytest.approx(np.clip(values, 0, 1), abs=0.5 / 255 + 1e-6)


def test_a_label_map_says_that_its_values_are_labels(tmp_path):
    labels = np.random.default_rng(0).integers(0, 5, (4, 5, 6)).astype(np.uint8)
    affine = np.diag([-1.0, -2, 3, 1])
    for name, write in (("labels", write_label_map), ("volume", write_volume), ("map", write_map)):
        write(tmp_path / f"{name}.nii.gz", labels, affine)
    intents = {path.name: nib.load(path).header["intent_code"] for path in tmp_path.iterdir()}
    assert intents == {"labels.nii.gz": 1002, "volume.nii.gz": 0, "map.nii.gz": 0}
    # Nothing else differs from a volume, and other readers read the same voxels.
    headers = [nib.load(tmp_path / f"{name}.nii.gz").header.copy() for name in ("labels", "volume")]
    for header in headers:
        header["intent_code"] = 0
    assert headers[0] == headers[1]
    found = sitk.ReadImage(str(tmp_path / "labels.nii.gz"))
    assert found.GetMetaData("intent_code") == "1002"
    assert (labels == sitk.GetArrayFromImage(found).T).all()
    assert found.GetSpacing() == (1, 2, 3)


def changed(content: bytes, start: int, form: str, *values) -> bytes:
    return content[:start] + struct.pack(form, *values) + content[start + struct.calcsize(form) :]


def test_impossible_headers_are_refused_and_incomplete_ones_are_read(tmp_path):
    voxels = np.arange(120, dtype=np.int16).reshape(4, 5, 6, order="F")
    path = tmp_path / "scan.nii"
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
    content = path.read_bytes()
    wrong = {
        (3, -4, 5, 6): "the shape -4 x 5 x 6, which is negative",
        (3, -4, -5, 6): "the shape -4 x -5 x 6, which is negative",
        (4, 4, 5, 6, -1): "the shape 4 x 5 x 6 x -1, which is negative",
        (-3, 4, 5, 6): "an impossible number of dimensions; expected 1 to 7",
        (9, 4, 5, 6): "an impossible number of dimensions; expected 1 to 7",
    }
    for dim, words in wrong.items():
        path.write_bytes(changed(content, 40, f"<{len(dim)}h", *dim))
        with pytest.raises(ValueError, match=f"scan.nii cannot be read as NIfTI .*{words}.*; copy the file again"):
            pytest.fail(f"{dim} was read: {read_volume(path)}")
    path.write_bytes(changed(content, 40, "<5h", 4, 4, 5, 6, 0))
    assert (read_volume(path)[0] == voxels).all()
    # The voxels follow the header where it does not say where they begin, and what SimpleITK reads is the same.
    short = content[:348] + content[352:]
    for made in (content, short):
        for offset in (0, 348):
            path.write_bytes(changed(made, 108, "<f", offset))
            assert (read_volume(path)[0] == voxels).all(), (len(made), offset)
    found = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).T
    assert (found == voxels).all()
    nib.save(nib.Nifti2Image(voxels, np.eye(4)), path)
    path.write_bytes(changed(path.read_bytes(), 168, "<q", 0))
    assert (read_volume(path)[0] == voxels).all()
    path.write_bytes(changed(content, 108, "<f", float("nan")))
    assert (read_volume(path)[0] == voxels).all()


def test_a_file_that_is_no_image_is_named_by_what_it_is(tmp_path):
    path = tmp_path / "scan.nii.gz"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    for content, words in (
        (b"", "is an empty file; copy it again"),
        (gzip.compress(b""), "is an empty file; copy it again"),
        (pointer, "is a Git LFS pointer: .*git lfs pull"),
        (b"\n<!DOCTYPE html><html><body>404", "is a web page .*; download the file again"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"scan.nii.gz {words}"):
            pytest.fail(f"{content} was read: {read_volume(path)}")
