"""A file that is not NIfTI is recognized by its first bytes."""

import io
import tarfile
import zipfile

import numpy as np
import pytest

from glioseg.volumes.formats import what_it_is


def made(write):
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def a_zip(stream):
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("scan.nii", "x")


def a_tar(stream):
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("scan.nii"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file; copy it again"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer: the pointer of a file"),
        (b"/annex/objects/MD5E-s12--0.nii.gz\n", "a git-annex pointer"),
        (made(a_zip), "a zip archive; unpack it"),
        (made(a_tar), "a tar archive; unpack it"),
        (bytes(128) + b"DICM", "a DICOM file"),
        (b"NRRD0004\ntype: short", "an NRRD file; let its name end in .nrrd"),
        (b"ObjectType = Image", "a MetaImage file"),
        (made(lambda stream: np.save(stream, np.zeros(3))), "a NumPy array"),
        (b"  <HTML>", "a web page (HTML or XML)"),
        (b'<?xml version="1.0"?><Error>AccessDenied', "a web page (HTML or XML)"),
        (b"no image at all", "text that begins with 'no image at all'"),
    ],
)
def test_a_file_is_recognized_by_its_first_bytes(content, words):
    assert what_it_is(content).startswith(words)


def test_unknown_bytes_are_not_named():
    assert what_it_is(bytes(range(1, 200))) is None
