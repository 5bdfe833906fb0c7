"""Rigid registration of two volumes by their mutual information, with SimpleITK."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from glioseg.register.grids import Grid, itk_image, itk_transform, matrix_of, moved_by
from glioseg.volumes.boxes import bounding_box, cut, grow

# Blur (mm), sampling step (mm), share of the samples and largest step (mm) of each level, from coarse to fine.
LEVELS = ((4.0, 6.0, 1.0, 4.0), (2.0, 4.0, 1.0, 1.0), (0.0, 2.0, 0.3, 0.5))
# Voxels are joined up to this size (mm) first, since every level would blur all of them again.
JOINED_MM = 2.0
SEED = 1
BINS = 40
# Of phantoms, a movement by 1.3 mm costs 3 % of the mutual information, and half a voxel of noise gains 0.5 %.
LEAST_GAIN = 1.01
ITERATIONS = 120
# Two starts that are closer than this (mm) lead to the same end.
APART_MM = 3.0
# A head is at least this much brighter than air, as a share of the 98th percentile.
FAINT = 0.05
MARGIN_MM = 10


class Alignment(NamedTuple):
    """matrix (4x4, mm): from the world of the fixed volume to that of the moving one.

    nats_before, nats_after: their mutual information as they came, and as they are aligned.
    """

    matrix: np.ndarray
    nats_before: float
    nats_after: float


def align(fixed: tuple[np.ndarray, np.ndarray], moving: tuple[np.ndarray, np.ndarray]) -> Alignment:
    """Find the rigid transform under which two volumes of one head share most information.

    fixed, moving: voxels (3-D; those of fixed are cubes) and affine (4x4, mm). The search is that of Mattes et al.
    (2003, doi:10.1109/TMI.2003.809072) at three resolutions. It starts from the headers and from the centers of both
    heads. It samples with a fixed seed and in one thread, so that it gives the same bits each time on one machine.
    Raises ValueError if the two heads do not overlap.
    """
    with _one_thread():
        return _align(fixed, moving)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let ITK use one thread in the block, because it adds up numbers in the order in which its threads end."""
    import SimpleITK as sitk

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _align(fixed: tuple[np.ndarray, np.ndarray], moving: tuple[np.ndarray, np.ndarray]) -> Alignment:
    import SimpleITK as sitk

    still, still_grid = _head(*fixed)
    moved, moved_grid = _head(*moving)
    still_center, moved_center = (_center(*pair) for pair in ((still, still_grid), (moved, moved_grid)))
    images = _joined(still, still_grid), _joined(moved, moved_grid)
    shift = np.eye(4)
    shift[:3, 3] = moved_center - still_center
    starts = [np.eye(4)]
    if np.linalg.norm(shift[:3, 3]) > APART_MM:
        starts.append(shift)
    voxel_mm = images[0].GetSpacing()[0]
    found = []
    for start in starts:
        try:
            found.append(_descend(images, _euler(start, still_center), voxel_mm, LEVELS[:1]))
        except RuntimeError:  # of ITK: too few points of one image lie in the other
            continue
    if not found:
        raise ValueError("the two heads do not overlap; check that both are of the same patient")
    best = max(found, key=lambda pair: pair[1])[0]
    transform, _ = _descend(images, best, voxel_mm, LEVELS[1:])
    as_they_came = sitk.Euler3DTransform()
    before, after = (_nats(images, one, voxel_mm) for one in (as_they_came, transform))
    # Series that lay on each other already are not moved for nothing.
    if after <= LEAST_GAIN * before:
        transform, after = as_they_came, before
    return Alignment(matrix_of(transform), before, after)


def _method(voxel_mm: float, levels: tuple):
    """The registration of SimpleITK with the metric of these levels, without a start."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentagePerLevel([share for _, _, share, _ in levels], SEED)
    method.SetInterpolator(sitk.sitkLinear)
    # Differences of voxels cost a tenth of filters that derive the whole images.
    method.MetricUseFixedImageGradientFilterOff()
    method.MetricUseMovingImageGradientFilterOff()
    method.SetShrinkFactorsPerLevel([max(1, round(step / voxel_mm)) for _, step, _, _ in levels])
    method.SetSmoothingSigmasPerLevel([blur for blur, *_ in levels])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    return method


def _descend(images: tuple, start, voxel_mm: float, levels: tuple) -> tuple:
    """The transform that a search from a start ends at, and the mutual information (nats) there."""
    import SimpleITK as sitk

    method = _method(voxel_mm, levels)
    transform = sitk.Euler3DTransform(start)
    method.SetInitialTransform(transform, inPlace=True)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=levels[0][3], minStep=0.005, numberOfIterations=ITERATIONS, gradientMagnitudeTolerance=1e-9
    )
    method.Execute(*images)
    return transform, -method.GetMetricValue()


def _nats(images: tuple, transform, voxel_mm: float) -> float:
    """Mutual information (nats) of two images under a transform; 0 if they do not overlap."""
    method = _method(voxel_mm, LEVELS[1:2])
    method.SetInitialTransform(transform)
    try:
        return -float(method.MetricEvaluate(*images))
    except RuntimeError:
        return 0.0


def _euler(matrix: np.ndarray, center: np.ndarray):
    """A shift (4x4, mm) as a rigid transform of SimpleITK that rotates about a point of the world (mm)."""
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    transform.SetCenter((center * (-1, -1, 1)).tolist())
    transform.SetTranslation(itk_transform(matrix).GetTranslation())
    return transform


def _head(voxels: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, Grid]:
    """The box around a head (float32, with a margin), cut off at the 99.9th percentile, and its grid."""
    voxels = voxels.astype(np.float32)
    low, bright, top = np.percentile(voxels[::2, ::2, ::2], (1, 98, 99.9))
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    box = bounding_box(voxels > low + FAINT * (bright - low))
    box = grow(box, voxels.shape, round(MARGIN_MM / float(sizes.min())))
    inside = np.clip(cut(voxels, box), low, top)
    return inside, Grid(inside.shape, moved_by(affine, box))


def _joined(voxels: np.ndarray, grid: Grid):
    """An image of SimpleITK, along each axis with the mean of as many voxels as `JOINED_MM` holds."""
    import SimpleITK as sitk

    sizes = np.linalg.norm(grid.affine[:3, :3], axis=0)
    return sitk.BinShrink(itk_image(voxels, grid.affine), [max(1, int(JOINED_MM / size + 0.01)) for size in sizes])


def _center(voxels: np.ndarray, grid: Grid) -> np.ndarray:
    """The center of a head in the world (mm): that of the voxels that are brighter than their mean."""
    places = np.argwhere(voxels > voxels.mean())
    return grid.affine[:3, :3] @ places.mean(0) + grid.affine[:3, 3]
