"""What a file is that is not NIfTI, by its first bytes."""

POINTER = "the pointer of a file, not the file itself"
ARCHIVE = "unpack it"
EXPORT = "convert it to NIfTI"
# Where a format has which bytes, what it is, and what to do.
SIGNATURES = (
    (0, b"version https://git-lfs", f"a Git LFS pointer: {POINTER}", "fetch the file (git lfs pull)"),
    (0, b"/annex/objects/", f"a git-annex pointer: {POINTER}", "fetch the file (git annex get, datalad get)"),
    (0, b"PK\x03\x04", "a zip archive", ARCHIVE),
    (0, b"BZh", "compressed by bzip2", ARCHIVE),
    (0, b"\xfd7zXZ", "compressed by xz", ARCHIVE),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd", ARCHIVE),
    (0, b"7z\xbc\xaf", "a 7z archive", ARCHIVE),
    (257, b"ustar", "a tar archive", ARCHIVE),
    (128, b"DICM", "a DICOM file", "give the folder of its series"),
    (0, b"NRRD", "an NRRD file", "let its name end in .nrrd"),
    (0, b"ObjectType", "a MetaImage file", "let its name end in .mha"),
    (0, b"NDims", "a MetaImage file", "let its name end in .mha"),
    (0, b"\x89HDF", "an HDF5 file, such as MINC 2", EXPORT),
    (0, b"CDF", "a NetCDF file, such as MINC 1", EXPORT),
    (0, b"\0\0\0\x01\0\0", "a FreeSurfer MGH file", EXPORT),
    (0, b"\x93NUMPY", "a NumPy array without the position of its voxels", EXPORT),
    (0, b"\x89PNG", "a PNG picture", "expected a volume"),
    (0, b"\xff\xd8\xff", "a JPEG picture", "expected a volume"),
    (0, b"%PDF", "a PDF document", "expected a volume"),
)
# These are read if the name of the file says so.
READABLE = ("an NRRD", "a MetaImage")
PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<error")


class NoImage(ValueError):
    """A file is not an image, and the message says what it is."""


def what_it_is(content: bytes) -> str | None:
    """What a file is and what to do, such as "a zip archive; unpack it"; None if its first bytes do not show it."""
    if not content:
        return "an empty file; copy it again"
    for start, signature, name, advice in SIGNATURES:
        if content.startswith(signature, start):
            return f"{name}; {advice}"
    text = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(PAGES):
        return "a web page (HTML or XML), as a failed download leaves it; download the file again"
    if text and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in content[:512]):
        return f"text that begins with {content[:40].decode('ascii').strip()!r}; copy the file again"
    return None
