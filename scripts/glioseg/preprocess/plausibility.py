"""The checks that only warn. Each returns a sentence that says what looks odd, or None if nothing does.

They are guesses from the voxels, so they never exclude a scan. Arrays are in LPS order: the first axis runs from the
patient's right to the left.
"""

from itertools import combinations, permutations

import numpy as np

from glioseg.labels import DIALECTS
from glioseg.preprocess.appearance import (
    LEAST,
    LOOKS,
    TOGETHER,
    contrasts,
    edges,
    levels,
    middle,
    rank,
    shared_nats,
    standard,
    thin,
    thinning,
    tissues,
)
from glioseg.scan_facts import Forms
from glioseg.volumes.forms import apart, has_orientation

# Two forms of a header that are rounded differently place voxels by far less than this apart (voxels).
MOST_APART = 0.5
# If a voxel is this many times larger than the target, resampling mostly invents data. Smaller voxels are not reported,
# since a study may choose coarser arrays.
FAR = 1.5
# No brain is larger, even with the meninges of a large head; a head down to the chin has 3 to 5 liters.
LARGEST_BRAIN_LITERS = 2.2
# Mirroring a flipped modality back raises its mutual information with another one at least by this factor and by this
# many nats. In 36 phantoms and 6 patients, mirroring a correct modality left at most 0.51 of that.
FLIP_RATIO, FLIP_NATS = 1.2, 0.03
# The least evidence (`contrasts`) for deciding on which side of the head the mask belongs. In the same 42 subjects, the
# evidence for the correct side was 0.43 to 1.7.
MASK_MARGIN = 0.1
# Each changed name must lower the misfit (summed squared differences from `LOOKS` and `TOGETHER`) by this much. In the
# same 42 subjects, and all subsets of their modalities, wrong names lowered it by at most 0.03.
SWAP_MARGIN = 0.15
# The largest misfit that one look can add: a small necrosis inside a bright rim does not make an image a T2.
MOST_MISFIT = 0.2
# Two modalities with a higher rank correlation are the same image.
SAME = 0.999


def no_orientation(forms: dict[str, Forms]) -> str | None:
    """Report volumes (forms of their headers, by name) that have no orientation in the header."""
    without = [name for name in forms if not has_orientation(forms[name])]
    if not without:
        return None
    return (
        f"the headers of {', '.join(without)} have no orientation (sform_code and qform_code are 0); the axes are "
        "taken as left, front and top, so the head may be mirrored: convert the original DICOM again"
    )


def two_places(name: str, forms: Forms, shape: tuple[int, ...]) -> str | None:
    """Report a volume (of this shape) whose header places a voxel at two places more than half a voxel apart."""
    voxels, distance_mm = apart(forms, shape)
    if voxels <= MOST_APART:
        return None
    found = f"differ by up to {distance_mm:.3g} mm" if np.isfinite(voxels) else "differ: the qform is not a rotation"
    return (
        f"sform and qform of {name} {found}; the sform is used, but other viewers may use the qform: correct the header"
    )


def mask_one_value(values: np.ndarray, dialect: str) -> str | None:
    """Report a mask (label values) of only 0 and 1 if its label dialect has more values."""
    known = sorted(DIALECTS[dialect])
    if len(known) <= 2 or not values.any() or np.rint(values.max()) > 1:
        return None
    tissue = DIALECTS[dialect][1]
    return (
        f"the mask holds only 0 and 1, so all tumor is {tissue}; expected {', '.join(map(str, known))} ({dialect}): "
        "check that the mask is not that of the whole tumor"
    )


def far_spacing(spacing_mm: tuple[float, float, float], target_mm: float) -> str | None:
    """Report voxels that are larger than the target along some axis by a factor of `FAR` or more."""
    if all(size / target_mm < FAR for size in spacing_mm):
        return None
    sizes = " x ".join(f"{size:.3g}" for size in spacing_mm)
    return f"the voxels measure {sizes} mm and are resampled to {target_mm:g} mm; expect coarser predictions"


def not_skull_stripped(
    volumes: dict[str, np.ndarray], backgrounds: dict[str, float | None], spacing_mm: tuple[float, float, float]
) -> str | None:
    """Report images without a constant background (None) around the brain, or with a foreground larger than a brain."""
    advice = "expected skull-stripped images: set register: mode to auto and register: strip to network, or strip them"
    without = [name for name in volumes if backgrounds[name] is None]
    if without:
        return f"no constant background around the brain in {', '.join(without)}; {advice}"
    for name, volume in volumes.items():
        liters = float((thin(volume) != backgrounds[name]).mean()) * volume.size * float(np.prod(spacing_mm)) / 1e6
        if liters > LARGEST_BRAIN_LITERS:
            return f"{name} shows {liters:.1f} liters, but a brain has at most {LARGEST_BRAIN_LITERS:g}; {advice}"
    return None


def flipped(volumes: dict[str, np.ndarray], brain: np.ndarray, classes: np.ndarray | None) -> str | None:
    """Report a modality or the mask (class indices) that seems to be mirrored left to right relative to the others.

    Mirroring one modality lowers its mutual information with the others. A tumor differs from the brain on the other
    side as `LOOKS` says, which shows whether the mask is mirrored. None if the brain (bool) is too small for a
    judgment; a tumor that is too small is ignored.
    """
    inside = thin(brain)
    if inside.sum() < LEAST:
        return None
    half = thinning(brain.shape) * float(np.average(np.arange(inside.shape[0]), weights=inside.sum((1, 2))))
    bounds, seen = {}, {}
    for name, volume in volumes.items():
        values = thin(volume)[inside]
        bounds[name] = edges(np.sort(values))
        seen[name] = levels(values, bounds[name])
    first, *others = volumes
    mirrors = []
    # A flip mirrors a file about the middle of its array, or of the brain if the file was registered afterwards.
    for plane in (brain.shape[0] - 1, round(2 * half)):
        values = thin(volumes[first], plane)[inside]
        mirrors.append(levels(values, edges(np.sort(values))))
    away = []
    for name in others:
        kept = shared_nats(seen[first], seen[name])
        most = max(shared_nats(mirror, seen[name]) for mirror in mirrors)
        if most > FLIP_RATIO * kept and most > kept + FLIP_NATS:
            away.append(name)
    sides = [[name for name in volumes if name not in away], away]
    if classes is not None:
        own = contrasts(volumes, bounds, brain, classes, round(2 * half))
        evidence = sum(-contrast if name in away else contrast for name, contrast in own.items())
        if abs(evidence) > MASK_MARGIN:
            sides[evidence < 0].append("the mask")
    few, many = sorted(sides, key=len)
    if not few:
        return None
    verb = "seems" if len(few) == 1 else "seem"
    return f"{' and '.join(few)} {verb} mirrored left to right relative to {', '.join(many)}; compare them in a viewer"


def swapped(volumes: dict[str, np.ndarray], brain: np.ndarray, classes: np.ndarray | None) -> str | None:
    """Report modalities that look like another modality than their name says, or two that are one image, rescaled.

    The look of a modality is the contrast of the tumor's tissues (class indices) to the rest of the brain (bool), and
    the histogram's shape and the correlations in that rest, all by rank. The names tried are the subject's own and,
    with a mask, t1 for t1ce and vice versa. Names other than flair, t1, t1ce and t2 are ignored. None if the brain is
    too small for a judgment.
    """
    inside = thin(brain) if classes is None else thin(brain) & (thin(classes) == 0)
    names = [name for name in volumes if name in LOOKS]
    if inside.sum() < LEAST or not names:
        return None
    looks, bounds, seen = {}, {}, {}
    for name in names:
        values = thin(volumes[name])[inside]
        ordered = np.sort(values)
        looks[name] = {"middle": middle(ordered)}
        bounds[name] = edges(ordered)
        seen[name] = standard(levels(values, bounds[name]))
    together = {(one, other): float(np.mean(seen[one] * seen[other])) for one, other in combinations(names, 2)}
    for (one, other), value in together.items():
        if value > SAME:
            if np.array_equal(volumes[one], volumes[other]):
                return None  # `content.same_voxels` reports it
            return f"{one} and {other} hold the same image; replace the wrong file"
    if classes is not None:
        for tissue, at in tissues(classes).items():
            for name in names:
                looks[name][tissue] = rank(volumes[name][at], bounds[name])

    def misfit(meanings):
        """Summed squared differences of all looks if the modalities were `meanings`, and a penalty per changed name."""
        means = dict(zip(names, meanings, strict=True))
        alone = sum(
            min((value - LOOKS[means[name]][look]) ** 2, MOST_MISFIT)
            for name in names
            for look, value in looks[name].items()
        )
        pairs = sum((value - TOGETHER[frozenset((means[a], means[b]))]) ** 2 for (a, b), value in together.items())
        return alone + pairs + SWAP_MARGIN * sum(name != other for name, other in means.items())

    # T1 with and without contrast agent differ only in the tumor, so only a mask shows which of them a file is.
    partners = {"t1": "t1ce", "t1ce": "t1"} if classes is not None else {}
    absent = {name: partners[name] for name in names if name in partners and partners[name] not in names}
    tried = [
        meanings
        for meanings in permutations([*names, *absent.values()], len(names))
        if all(other in names or absent.get(name) == other for name, other in zip(names, meanings, strict=True))
    ]
    best = min(tried, key=misfit)
    alike = [f"{name} looks like {other}" for name, other in zip(names, best, strict=True) if name != other]
    return f"{', '.join(alike)}; check which modality each file shows" if alike else None
