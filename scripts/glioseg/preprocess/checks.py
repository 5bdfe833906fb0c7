"""What is wrong with a scan, each in a sentence. A check returns the sentence, or None where nothing is wrong.

What excludes a scan is here; what merely looks odd is in `plausibility`.
"""

import nibabel as nib
import numpy as np

from glioseg.labels import CLASSES, DIALECTS, TOLERANCE, to_classes

# A header rounded to a few digits moves no voxel of a head by this much; one of another scan moves most by more.
AFFINE_TOLERANCE_MM = 0.5
HEAD_VOXELS = 256
SPACING_TOLERANCE = 0.01
# Beyond these no scanner measures a head; a network would see nothing or resampling take all memory.
SMALLEST_MM, LARGEST_MM = 0.1, 20.0
# Raters paint past a tight brain mask by a voxel: in six patients 0.2 % at most. A displaced mask leaves it by more.
MOST_OUTSIDE = 0.1


def missing(expected: list[str], found: list[str]) -> str | None:
    """A modality of the configured ones that has no file."""
    absent = [name for name in expected if name not in found]
    if not absent:
        return None
    return f"no file for {', '.join(absent)}; expected {', '.join(expected)}, found {', '.join(found) or 'none'}"


def geometry(name: str, affine: np.ndarray) -> str | None:
    """An affine (4x4, mm) that is not finite, flat or skewed, or whose voxels are of no size that a scanner makes."""
    rewrite = "rewrite its header from the original DICOM"
    # Python's own numbers neither warn nor fail where a damaged header holds 1e300.
    with np.errstate(all="ignore"):
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
        if not (np.isfinite(affine).all() and np.isfinite(sizes).all() and sizes.min() > 0):
            return f"the affine of {name} is not finite or not invertible; {rewrite}"
        if not SMALLEST_MM <= sizes.min() <= sizes.max() <= LARGEST_MM:
            return (
                f"the voxels of {name} measure {_mm(sizes)}; expected {SMALLEST_MM:g} to {LARGEST_MM:g} mm; {rewrite}"
            )
        # One for perpendicular axes, whatever their sizes.
        if not abs(np.linalg.det(affine[:3, :3] / sizes)) > 0.5:
            return f"the axes of {name} are not perpendicular or not invertible; {rewrite}"
    return None


def shapes(volumes: dict[str, tuple[int, ...]]) -> str | None:
    """Volumes of one subject that differ in shape; by name, first one taken as the reference."""
    (reference, shape), *others = volumes.items()
    for name, other in others:
        if tuple(other) != tuple(shape):
            return f"{name} has shape {_x(other)} but {reference} has {_x(shape)}; export all on one grid"
    return None


def orientations(volumes: dict[str, np.ndarray]) -> str | None:
    """Volumes of one subject whose array axes (of affines, 4x4) run along other directions of the patient."""
    (reference, affine), *others = volumes.items()
    for name, other in others:
        ours, theirs = ("".join(map(str, nib.aff2axcodes(a))) for a in (affine, other))
        # Of two nearly equal affines at 45 degrees, one may count as R and the other as A.
        turned = np.abs(_directions(affine) - _directions(other)).max() > 0.1
        if ours != theirs and turned:
            return f"{name} is stored as {theirs} but {reference} as {ours}; export all in one orientation"
    return None


def spacings(volumes: dict[str, np.ndarray]) -> str | None:
    """Volumes of one subject whose voxel sizes (of affines, 4x4, mm) differ by more than a hundredth."""
    (reference, affine), *others = volumes.items()
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    for name, other in others:
        theirs = np.linalg.norm(other[:3, :3], axis=0)
        if not np.abs(theirs / sizes - 1).max() <= SPACING_TOLERANCE:
            ours = f"those of {reference} {_mm(sizes)}"
            return f"the voxels of {name} measure {_mm(theirs)} but {ours}; export all on one grid"
    return None


def affines(volumes: dict[str, np.ndarray]) -> str | None:
    """Volumes of one subject whose affines (4x4) put some voxel of a head `AFFINE_TOLERANCE_MM` or more apart."""
    (reference, affine), *others = volumes.items()
    for name, other in others:
        apart = np.abs(other - affine)[:3]
        most = (apart[:, :3].sum(1) * HEAD_VOXELS + apart[:, 3]).max()
        if not most < AFFINE_TOLERANCE_MM:
            return f"the affine of {name} differs from that of {reference} by up to {most:.3g} mm; register them first"
    return None


def finite(name: str, volume: np.ndarray) -> str | None:
    """Voxels that are NaN or infinite."""
    with np.errstate(all="ignore"):
        # One pass, no copy: what is not finite spoils the sum. Only then is it worth counting.
        if np.isfinite(volume.sum()):
            return None
        bad = volume.size - int(np.isfinite(volume).sum())
    return f"{name} has {bad} voxels that are NaN or infinite; export it anew" if bad else None


def constant(name: str, volume: np.ndarray) -> str | None:
    """A volume whose voxels are all the same, or that has none."""
    if not volume.size:
        return f"{name} has no voxels: its shape is {_x(volume.shape)}; export it anew"
    thin = volume[(slice(None, None, 8),) * volume.ndim]
    if thin.min() != thin.max():
        return None
    low = volume.min()
    return f"{name} is empty: every voxel is {low:g}" if low == volume.max() else None


def mask_fractional(mask: np.ndarray) -> str | None:
    """A mask with values between the whole numbers, as interpolation leaves them; 0.001 off is rounding, not this."""
    values = _labels(mask)
    between = values[np.abs(values - np.rint(values)) > TOLERANCE]
    if not between.size:
        return None
    return (
        f"the mask holds values between the whole numbers, such as {between[0]:.4g}; "
        "it was interpolated: resample it with nearest neighbor"
    )


def mask_values(mask: np.ndarray, dialect: str) -> str | None:
    """A mask with values that its dialect does not have; the sentence names dialects that have all of them."""
    values = np.rint(_labels(mask))
    try:
        to_classes(values, dialect)
    except ValueError as error:
        fitting = [name for name, known in DIALECTS.items() if np.isin(values, list(known)).all()]
        advice = f"labels: {' or '.join(fitting)} would fit" if fitting else "no known dialect fits: relabel it"
        return f"{error}; {advice}"
    return None


def mask_empty(classes: np.ndarray) -> str | None:
    """A mask (class indices) without any label."""
    if classes.any():
        return None
    return "the mask is empty; expected a labelled tumor: leave the mask out, or force the subject in by name"


def mask_outside(classes: np.ndarray, brain: np.ndarray) -> str | None:
    """A tumor (class indices) of which more than a tenth lies outside the brain (bool).

    The cavity, often cut out of the brain, does not count. None where there is no tumor.
    """
    # Every second voxel along each axis tells the share well enough.
    classes, brain = classes[::2, ::2, ::2], brain[::2, ::2, ::2]
    tumor = (classes > 0) & (classes != CLASSES.index("cavity"))
    outside = 1 - brain[tumor].mean() if tumor.any() else 0
    if outside <= MOST_OUTSIDE:
        return None
    return f"{100 * outside:.0f} % of the tumor mask lies outside the brain; check that it belongs to these images"


def tumor_share(percent: float, minimum: float) -> str | None:
    """A crop of which a smaller share (both in percent) is tumor than configured."""
    if percent >= minimum:
        return None
    return f"{percent:.2f} % of the crop is tumor; expected at least {minimum:g} % (preprocess: min_tumor_percent)"


def _labels(mask: np.ndarray) -> np.ndarray:
    """The values other than 0 that a mask holds, sorted. Infinity and NaN count as values."""
    return np.unique(mask[mask != 0])


def _directions(affine: np.ndarray) -> np.ndarray:
    return affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _mm(sizes: np.ndarray) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes) + " mm"
