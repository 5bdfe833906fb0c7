"""Images of a subject in the common space: moved, without bias field, and cut out of the head."""

from pathlib import Path

import numpy as np

from glioseg.preprocess.plausibility import not_skull_stripped
from glioseg.register.grids import Grid, itk_image, resampled
from glioseg.register.label_maps import label_map_on
from glioseg.volumes.brain import background_value, brain_mask
from glioseg.volumes.nifti import read_volume
from glioseg.volumes.orientation import spacing_mm

# The value of register: strip that leaves images as they are.
NO_STRIPPING = "none"
# N4 looks at every so many voxels along each axis.
SHRINK = 4
ENDINGS = (".nii.gz", ".nii")
ITERATIONS = [30, 30, 20]


def stripped_background(voxels: np.ndarray, affine: np.ndarray) -> float | None:
    """The value around the brain of a skull-stripped image; None if the image shows a whole head."""
    background = background_value(voxels)
    if not_skull_stripped({"": voxels}, {"": background}, spacing_mm(affine)):
        return None
    return background


def image_on(voxels: np.ndarray, affine: np.ndarray, grid: Grid, to_image: np.ndarray) -> np.ndarray:
    """An image (3-D) on another grid, float32, with linear interpolation and 0 outside.

    to_image: matrix (4x4, mm) from the world of the grid to that of the image. If the image is skull-stripped, the
    surface of the brain is not mixed with the background: a voxel is brain if half of it is, and has a mean of brain.
    """
    background = stripped_background(voxels, affine)
    if background is None:
        return resampled(itk_image(voxels.astype(np.float32), affine), grid, to_image)
    brain = brain_mask(voxels, background)
    values = np.where(brain, voxels, 0).astype(np.float32)
    share = resampled(itk_image(brain.astype(np.float32), affine), grid, to_image)
    found = resampled(itk_image(values, affine), grid, to_image)
    inside = share >= 0.5
    return np.divide(found, share, out=np.zeros_like(found), where=inside)


def without_bias(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """An image (float32) divided by its bias field (N4, Tustison et al. 2010, doi:10.1109/TMI.2010.2046908).

    The field is found on a coarse grid in one thread, over all voxels that are brighter than Otsu's threshold.
    """
    import SimpleITK as sitk

    image = itk_image(voxels.astype(np.float32), affine)
    small = sitk.Shrink(image, [SHRINK] * 3)
    correct = sitk.N4BiasFieldCorrectionImageFilter()
    correct.SetNumberOfThreads(1)
    correct.SetMaximumNumberOfIterations(ITERATIONS)
    correct.Execute(small, sitk.OtsuThreshold(small, 0, 1, 200))
    field = sitk.GetArrayFromImage(correct.GetLogBiasFieldAsImage(image)).T
    return voxels / np.exp(field)


def brain_of(subject: str, folder: str, grid: Grid) -> np.ndarray | None:
    """The brain of a subject on a grid (bool), from the mask that the user has in a folder; None for "none".

    Raises ValueError if the folder has no mask for the subject, or an empty one.
    """
    if folder == NO_STRIPPING:
        return None
    path = next((one for ending in ENDINGS if (one := Path(folder) / f"{subject}{ending}").is_file()), None)
    if path is None:
        raise ValueError(
            f"register: strip: {folder} has no mask of the brain {subject}.nii.gz in the world of the reference; "
            "add it, or set strip to none"
        )
    voxels, affine = read_volume(path)
    brain = label_map_on((voxels > 0).astype(np.uint8), affine, grid, np.eye(4)) > 0
    if not brain.any():
        raise ValueError(f"{path} has no voxel inside the reference of {subject}; expected a mask in its world")
    return brain


def as_stored(voxels: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An image (float32) for a file: whole numbers if the series has them and a range that loses nothing."""
    if dtype.kind in "iu" and 255 <= np.abs(voxels).max() < 32767:
        whole = np.rint(voxels).astype(np.int16)
        # A dark voxel of the brain must not become background.
        whole[(whole == 0) & (voxels != 0)] = 1
        return whole
    return voxels.astype(np.float32)
