"""Reading images, which are NIfTI files or what `readers` knows, and writing NIfTI files."""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
from isal import isal_zlib

from glioseg.files import whole
from glioseg.scan_facts import Forms
from glioseg.volumes.formats import NoImage, what_it_is
from glioseg.volumes.forms import forms_of, set_forms
from glioseg.volumes.readers import read_other


class Nifti(NamedTuple):
    """The content of a file: voxels (X, Y, Z, volumes) as stored, their scale and offset, the affine (4x4, mm).

    The affine is the sform, or the qform if there is no sform; forms has both.
    """

    path: str
    voxels: np.ndarray
    slope: float
    offset: float
    affine: np.ndarray
    forms: Forms


def open_nifti(path: Path | str) -> Nifti:
    """Read a file of one or more 3-D volumes: NIfTI, compressed or not, or a format that `readers` knows.

    Raises ValueError, naming the file, if it is missing or damaged, or is not a 3-D volume of real numbers.
    """
    other = read_other(Path(path))
    if other:
        return _checked(Nifti(str(path), other.voxels, 1.0, 0.0, other.affine, other.forms))
    try:
        content = Path(path).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = _decompress(content)
        header = _header(content, path)
        shape, dtype = _shape(header), header.get_data_dtype()
        # Check this first: a damaged header can claim more voxels than fit in memory.
        expected = dtype.itemsize * math.prod(shape)
        start = header.get_data_offset() or _first_voxel(header, len(content) - expected)
        found = len(content) - start
        if found < expected:
            raise EOFError(f"its header states {expected} bytes of voxels, found {max(found, 0)}")
        voxels = np.frombuffer(content, dtype, math.prod(shape), start)
        slope, offset = header.get_slope_inter()
        affine, forms = np.asarray(header.get_best_affine(), dtype=np.float64), forms_of(header)
    except (MemoryError, NoImage):
        raise
    except Exception as error:  # nibabel, isal and NumPy raise many exception types
        raise ValueError(
            f"{path} cannot be read as NIfTI ({type(error).__name__}: {error}); copy the file again"
        ) from error
    if len(shape) < 3 or not voxels.size:
        raise ValueError(f"{path} holds an array of shape {shape}; expected a 3-D volume")
    voxels = voxels.reshape((*shape[:3], -1), order="F")
    return _checked(Nifti(str(path), voxels, 1.0 if slope is None else slope, offset or 0.0, affine, forms))


def _checked(nifti: Nifti) -> Nifti:
    """A file's content. Raises ValueError, naming the file, if its voxels are not real numbers."""
    dtype = nifti.voxels.dtype
    if dtype.kind not in "iuf":
        raise ValueError(
            f"{nifti.path} holds voxels of type {dtype}; expected one real number per voxel; convert the file"
        )
    return nifti


def _header(content: bytes, path: Path | str) -> nib.Nifti1Header:
    """The header of a file's content. Raises NoImage if it is not NIfTI, as far as its first bytes show."""
    # The first number of a header is its own size, which identifies the NIfTI version in either byte order.
    versions = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
    sizes = {size.to_bytes(4, order): version for size, version in versions.items() for order in ("little", "big")}
    version = sizes.get(content[:4])
    known = None if version else what_it_is(content)
    if known:
        raise NoImage(f"{path} is {known}")
    if version is None:
        raise ValueError("it does not begin like a NIfTI file")
    header = version.from_fileobj(io.BytesIO(content), check=False)
    if header["sizeof_hdr"] != header.sizeof_hdr:  # nibabel infers the byte order from the number of dimensions
        raise ValueError("its header states an impossible number of dimensions; expected 1 to 7")
    # Some writers leave this number at 0, which means that the voxels follow the header.
    if not header["vox_offset"] > header.sizeof_hdr:
        header["vox_offset"] = 0
    header.check_fix()
    return header


def _shape(header: nib.Nifti1Header) -> tuple[int, ...]:
    """The shape in a header; an axis after the third one has at least one voxel."""
    shape = header.get_data_shape()
    if any(length < 0 for length in shape):
        raise ValueError(f"its header states the shape {' x '.join(map(str, shape))}, which is negative")
    return (*shape[:3], *(max(length, 1) for length in shape[3:]))


def _first_voxel(header: nib.Nifti1Header, rest: int) -> int:
    """Where voxels begin if the header does not say it: after four more bytes, unless the file is too short for them.

    rest: the bytes of the file that are not voxels.
    """
    return header.sizeof_hdr if rest == header.sizeof_hdr else header.sizeof_hdr + 4


def take_volume(nifti: Nifti, volume: int) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (3-D, in the file's own order) and affine (4x4, mm) of one volume of a file, by its index.

    The voxels are a view in the stored type if float32 can represent it exactly, otherwise float32. Raises ValueError,
    naming the file, if it has no such volume.
    """
    volumes = nifti.voxels.shape[3]
    if not 0 <= volume < volumes:
        raise ValueError(f"{nifti.path} holds {volumes} volumes, numbered from 0; expected one with index {volume}")
    voxels = nifti.voxels[..., volume]
    scaled = (nifti.slope, nifti.offset) != (1, 0)
    if scaled or np.promote_types(voxels.dtype, np.float32) != np.float32:
        with np.errstate(over="ignore", invalid="ignore"):  # overflow becomes infinite, which a check finds
            voxels = voxels.astype(np.float32)
            if scaled:
                voxels = voxels * np.float32(nifti.slope) + np.float32(nifti.offset)
    return voxels, nifti.affine


def take_volumes(files: Mapping[str, tuple[Path | str, int]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """`take_volume` for each file and index, by name; consecutive entries of the same file read it only once."""
    found, path, nifti = {}, None, None
    for name, (file, volume) in files.items():
        if file != path:
            nifti, path = open_nifti(file), file
        found[name] = take_volume(nifti, volume)
    return found


def _decompress(content: bytes) -> bytes:
    """The content of a gzip file; ISA-L needs half the time of zlib. Raises if the length or a checksum is wrong."""
    parts = []
    while content:
        member = isal_zlib.decompressobj(wbits=31)
        parts.append(member.decompress(content))
        if not member.eof:
            raise EOFError("it ends early")
        content = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def read_volume(path: Path | str, volume: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (float32, 3-D, in the file's own order) and affine (4x4, mm) of one volume of a NIfTI file.

    Raises ValueError, naming the file, if it cannot be read or has no such volume.
    """
    voxels, affine = take_volume(open_nifti(path), volume)
    return voxels.astype(np.float32), affine


def nifti_of(voxels: np.ndarray, affine: np.ndarray, forms: Forms | None = None) -> nib.Nifti1Image:
    """A NIfTI image of a volume (3-D) in its own dtype, with its affine (4x4, mm).

    forms: those of the file that the volume belongs to, so that every viewer shows both at the same place. Without
    them, the affine is both sform and qform.
    """
    image = nib.Nifti1Image(voxels, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    if forms:
        set_forms(image.header, forms)
    return image


def write_volume(path: Path | str, voxels: np.ndarray, affine: np.ndarray, forms: Forms | None = None) -> None:
    """Write a volume (3-D) in its own dtype, as `nifti_of` makes it."""
    _save(nifti_of(voxels, affine, forms), path)


def write_label_map(path: Path | str, values: np.ndarray, affine: np.ndarray, forms: Forms | None = None) -> None:
    """Write a label map (3-D) in its own dtype, as `nifti_of` makes it, with NIFTI_INTENT_LABEL in its header.

    Viewers that read this intent show the values as labels.
    """
    image = nifti_of(values, affine, forms)
    image.header.set_intent("label")
    _save(image, path)


def write_map(path: Path | str, values: np.ndarray, affine: np.ndarray, forms: Forms | None = None) -> None:
    """Write a map of values from 0 to 1 (3-D) as uint8 with a scale factor; readers convert it to floating point."""
    image = nifti_of(np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8), affine, forms)
    image.header.set_slope_inter(1 / 255, 0)
    _save(image, path)


def _save(image: nib.Nifti1Image, path: Path | str) -> None:
    with whole(path) as partial:
        nib.save(image, partial)
