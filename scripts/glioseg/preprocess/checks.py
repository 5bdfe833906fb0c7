"""The checks that exclude a scan. Each returns a sentence that says what is wrong, or None if nothing is.

The checks that only warn are in `plausibility`.
"""

import nibabel as nib
import numpy as np

from glioseg.labels import CLASSES, DIALECTS, TOLERANCE, to_classes
from glioseg.scan_facts import Forms
from glioseg.volumes.forms import has_orientation

# Rounding a header to a few digits moves no voxel of a head by this much; another scan's header moves most by more.
AFFINE_TOLERANCE_MM = 0.5
HEAD_VOXELS = 256
SPACING_TOLERANCE = 0.01
# No scanner uses smaller or larger voxels for a head: smaller ones would leave a network nothing to see, and
# resampling larger ones would run out of memory.
SMALLEST_MM, LARGEST_MM = 0.1, 20.0
# Experts may label one voxel past a tight brain mask: at most 0.2 % of the tumor in six patients. A displaced mask
# has more outside.
MOST_OUTSIDE = 0.1


def missing(expected: list[str], found: list[str]) -> str | None:
    """Report configured modalities without a file."""
    absent = [name for name in expected if name not in found]
    if not absent:
        return None
    return f"no file for {', '.join(absent)}; expected {', '.join(expected)}, found {', '.join(found) or 'none'}"


def geometry(name: str, affine: np.ndarray) -> str | None:
    """Report an affine (4x4, mm) that is not finite, flat or skewed, or that has an implausible voxel size."""
    rewrite = "convert the original DICOM again"
    # A damaged header may hold 1e300, which overflows here; the checks below report it.
    with np.errstate(all="ignore"):
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
        if not (np.isfinite(affine).all() and np.isfinite(sizes).all() and sizes.min() > 0):
            return f"the affine of {name} is not finite or not invertible; {rewrite}"
        if not SMALLEST_MM <= sizes.min() <= sizes.max() <= LARGEST_MM:
            return (
                f"the voxels of {name} measure {_mm(sizes)}; expected {SMALLEST_MM:g} to {LARGEST_MM:g} mm; {rewrite}"
            )
        # The determinant is 1 or -1 for perpendicular axes, whatever the voxel sizes.
        if not abs(np.linalg.det(affine[:3, :3] / sizes)) > 0.5:
            return f"the axes of {name} are not perpendicular; {rewrite}"
    return None


def shapes(volumes: dict[str, tuple[int, ...]]) -> str | None:
    """Report volumes of a subject (shapes by name) that differ in shape from the first one."""
    (reference, shape), *others = volumes.items()
    for name, other in others:
        if tuple(other) != tuple(shape):
            return f"{name} has shape {_x(other)} but {reference} has {_x(shape)}; export all on the same grid"
    return None


def orientations(volumes: dict[str, np.ndarray]) -> str | None:
    """Report volumes of a subject (affines, 4x4, by name) whose array axes point in different directions."""
    (reference, affine), *others = volumes.items()
    for name, other in others:
        ours, theirs = ("".join(map(str, nib.aff2axcodes(a))) for a in (affine, other))
        # At 45 degrees, an axis of two nearly equal affines may be named R in one and A in the other.
        turned = np.abs(_directions(affine) - _directions(other)).max() > 0.1
        if ours != theirs and turned:
            return f"{name} has the orientation {theirs} but {reference} has {ours}; export all in the same orientation"
    return None


def without_orientation(volumes: dict[str, np.ndarray], forms: dict[str, Forms]) -> str | None:
    """Report volumes whose headers have no orientation, if other volumes of the subject (affines by name) have one.

    None if such a volume is on the grid of the others nevertheless.
    """
    without = [name for name in volumes if not has_orientation(forms[name])]
    known = [name for name in volumes if name not in without]
    if not without or not known or affines({name: volumes[name] for name in (*known, *without)}) is None:
        return None
    has = "has" if len(without) == 1 else "have"
    return (
        f"{', '.join(without)} {has} no orientation in the header (its sform_code and qform_code are 0), but "
        f"{', '.join(known)} {'has' if len(known) == 1 else 'have'} one; export again, or copy the header of {known[0]}"
    )


def spacings(volumes: dict[str, np.ndarray]) -> str | None:
    """Report volumes of a subject (affines, 4x4, mm, by name) whose voxel sizes differ by more than 1 %."""
    (reference, affine), *others = volumes.items()
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    for name, other in others:
        theirs = np.linalg.norm(other[:3, :3], axis=0)
        if not np.abs(theirs / sizes - 1).max() <= SPACING_TOLERANCE:
            ours = f"those of {reference} measure {_mm(sizes)}"
            return f"the voxels of {name} measure {_mm(theirs)} but {ours}; export all on the same grid"
    return None


def affines(volumes: dict[str, np.ndarray]) -> str | None:
    """Report affines (4x4, by name) that place some voxel of a head `AFFINE_TOLERANCE_MM` or more apart."""
    (reference, affine), *others = volumes.items()
    for name, other in others:
        difference = np.abs(other - affine)[:3]
        most = (difference[:, :3].sum(1) * HEAD_VOXELS + difference[:, 3]).max()
        if not most < AFFINE_TOLERANCE_MM:
            return (
                f"the affine of {name} differs from that of {reference} by up to {most:.3g} mm; "
                "register the images to each other first"
            )
    return None


def finite(name: str, volume: np.ndarray) -> str | None:
    """Report voxels that are NaN or infinite."""
    with np.errstate(all="ignore"):
        # A single bad voxel makes the sum non-finite, so one pass without a copy finds it. Count only then.
        if np.isfinite(volume.sum()):
            return None
        bad = volume.size - int(np.isfinite(volume).sum())
    return f"{name} has {bad} NaN or infinite voxel{'s' if bad > 1 else ''}; export it again" if bad else None


def constant(name: str, volume: np.ndarray) -> str | None:
    """Report a volume that has no voxels, or whose voxels are all equal."""
    if not volume.size:
        return f"{name} has no voxels: its shape is {_x(volume.shape)}; export it again"
    thin = volume[(slice(None, None, 8),) * volume.ndim]
    if thin.min() != thin.max():
        return None
    low = volume.min()
    return f"{name} is empty: every voxel is {low:g}; export it again" if low == volume.max() else None


def mask_fractional(mask: np.ndarray) -> str | None:
    """Report a mask with fractional values, as interpolation leaves them. A deviation of 0.001 counts as rounding."""
    values = _labels(mask)
    between = values[np.abs(values - np.rint(values)) > TOLERANCE]
    if not between.size:
        return None
    return (
        f"the mask holds fractional values such as {between[0]:.4g}; expected whole numbers: "
        "resample it with nearest-neighbor interpolation"
    )


def mask_values(mask: np.ndarray, dialect: str) -> str | None:
    """Report a mask with values that its label dialect does not have, and name the dialects that have all of them."""
    values = np.rint(_labels(mask))
    try:
        to_classes(values, dialect)
    except ValueError as error:
        fitting = [name for name, known in DIALECTS.items() if np.isin(values, list(known)).all()]
        advice = f"labels that fit: {' or '.join(fitting)}" if fitting else "no known dialect fits: relabel the mask"
        return f"{error}; {advice}"
    return None


def mask_empty(classes: np.ndarray) -> str | None:
    """Report a mask (class indices) without any label."""
    if classes.any():
        return None
    return "the mask is empty; expected a labelled tumor: remove the mask, or list the subject under include to keep it"


def mask_outside(classes: np.ndarray, brain: np.ndarray) -> str | None:
    """Report a tumor (class indices) of which more than a tenth lies outside the brain (bool).

    The cavity does not count, since it is often cut out of the brain. None if there is no tumor.
    """
    # Every second voxel along each axis gives the share accurately enough.
    classes, brain = classes[::2, ::2, ::2], brain[::2, ::2, ::2]
    tumor = (classes > 0) & (classes != CLASSES.index("cavity"))
    outside = 1 - brain[tumor].mean() if tumor.any() else 0
    if outside <= MOST_OUTSIDE:
        return None
    return (
        f"{100 * outside:.0f} % of the tumor mask lies outside the brain; check that the mask belongs to these images"
    )


def tumor_share(percent: float, minimum: float) -> str | None:
    """Report a crop whose share of tumor is below the configured minimum (both in percent)."""
    if percent >= minimum:
        return None
    return f"{percent:.2f} % of the crop is tumor; expected at least {minimum:g} % (preprocess: min_tumor_percent)"


def _labels(mask: np.ndarray) -> np.ndarray:
    """The values of a mask other than 0, sorted. Infinity and NaN count as values."""
    return np.unique(mask[mask != 0])


def _directions(affine: np.ndarray) -> np.ndarray:
    return affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)


def _x(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _mm(sizes: np.ndarray) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes) + " mm"
