"""Images that are not single NIfTI files: NRRD, MetaImage, pairs of .hdr and .img, and folders of DICOM slices.

nibabel reads the pairs and SimpleITK the others. Both are imported here only when such a file is read.
"""

import locale
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np

from glioseg.scan_facts import Forms
from glioseg.volumes.formats import READABLE, NoImage, what_it_is
from glioseg.volumes.forms import forms_of

PAIRS = (".img", ".img.gz", ".hdr", ".hdr.gz")
ITK = (".nrrd", ".nhdr", ".mha", ".mhd")
# Distances between the slices of a series may differ by this much (mm), because headers round positions.
MOST_UNEVEN_MM = 0.1


class Image(NamedTuple):
    """Voxels (X, Y, Z, volumes) with their scale applied, affine (4x4, mm), and the forms of a NIfTI file."""

    voxels: np.ndarray
    affine: np.ndarray
    forms: Forms


def read_other(path: Path) -> Image | None:
    """Read an image that is not a single NIfTI file, by its name; None for any other name.

    Raises ValueError, naming the file, if it is damaged, and for a folder that is not one complete DICOM series.
    """
    try:
        return _read(path)
    except MemoryError:
        raise
    except Exception as error:  # nibabel and SimpleITK raise many exception types
        known = what_it_is(path.read_bytes()[:1024]) if path.is_file() else None
        if known and not known.startswith(READABLE):
            raise NoImage(f"{path} is {known}") from error
        *_, words = str(error).strip().splitlines() or [""]
        raise ValueError(
            f"{path} cannot be read as an image ({type(error).__name__}: {words}); copy it again"
        ) from error


def _read(path: Path) -> Image | None:
    name = path.name.lower()
    if name.endswith(PAIRS):
        return _pair(path)
    if path.is_dir():
        import SimpleITK as sitk

        files = series_files(path)
        with same_locale():
            return _from_itk(sitk.ReadImage(files))
    if name.endswith(ITK):
        import SimpleITK as sitk

        return _from_itk(sitk.ReadImage(str(path)))
    return None


@contextmanager
def same_locale() -> Iterator[None]:
    """Restore the locale after the block: SimpleITK's DICOM reader sets "C", in which Python opens text as ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


def _pair(path: Path) -> Image:
    """A NIfTI, SPM or Analyze image of two files, .hdr and .img. Analyze has no orientation."""
    image = nib.load(path)
    voxels, affine = np.asarray(image.dataobj), np.asarray(image.affine, float)
    header = image.header
    if not isinstance(header, nib.Nifti1Header):
        header = nib.Nifti1Header()
        header.set_data_shape(image.shape)
        header.set_zooms(image.header.get_zooms())
        if not np.allclose(affine, header.get_base_affine()):
            header.set_sform(affine, code=1)
            header.set_qform(affine, code=1)
    return Image(voxels.reshape((*voxels.shape[:3], -1), order="F"), affine, forms_of(header))


def _from_itk(image) -> Image:
    """An image of SimpleITK, whose axes are in the reverse order of NumPy's and whose first two point the other way."""
    import SimpleITK as sitk

    if image.GetDimension() not in (3, 4):
        raise ValueError(f"it has {image.GetDimension()} dimensions; expected a 3-D volume")
    voxels = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        voxels = np.moveaxis(voxels, -1, 0)
    voxels = voxels.T.reshape((*image.GetSize()[:3], -1), order="F")
    directions = np.reshape(image.GetDirection(), (image.GetDimension(),) * 2)[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = directions * image.GetSpacing()[:3]
    affine[:3, 3] = image.GetOrigin()[:3]
    affine[:2] *= -1
    header = nib.Nifti1Header()
    header.set_data_shape(voxels.shape[:3])
    header.set_sform(affine, code=1)
    header.set_qform(affine, code=1)
    return Image(voxels, affine, forms_of(header))


def series_files(folder: Path) -> tuple[str, ...]:
    """The files of the only DICOM series in a folder, in the order in which its slices are read.

    Raises ValueError for several series or missing slices.
    """
    import SimpleITK as sitk

    with same_locale():
        names = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
        if len(names) != 1:
            raise ValueError(
                f"it holds {len(names) or 'no'} DICOM series; expected one: keep each series in its own folder"
            )
        files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), names[0])
        # ITK would place the slices evenly whatever their positions are.
        steps = np.linalg.norm(np.diff([_position(file) for file in files], axis=0), axis=1)
    if steps.size and np.ptp(steps) > MOST_UNEVEN_MM:
        raise ValueError(
            f"its {len(files)} slices are {steps.min():.3g} to {steps.max():.3g} mm apart; expected even distances: "
            "fetch missing slices, and keep each acquisition in its own folder"
        )
    return files


def _position(file: str) -> tuple[float, ...]:
    """The position (mm) of a DICOM slice."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(file)
    reader.ReadImageInformation()
    return reader.GetOrigin()
