"""What looks odd about a scan, each in a sentence: guesses from its voxels, which warn and never exclude.

Arrays are in LPS order: the first axis runs from the patient's right to the left.
"""

from itertools import combinations, permutations

import numpy as np

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

# Larger or smaller than the target by this factor, a voxel is more made up or thrown away than measured.
FAR = 1.5
# No brain fills this much, a large head's meninges included; a head down to the chin fills 3 to 5 liters.
LARGEST_BRAIN_LITERS = 2.2
# Mirrored back, a flipped modality tells this many times more of another one. In 36 phantoms and 6 patients, mirroring
# a modality left at most 0.51 of what it told.
FLIP_RATIO, FLIP_NATS = 1.2, 0.03
# How much rather a mask's tissues are on the other side of the head. In the same 42, they are by 0.43 to 1.7 on theirs.
MASK_MARGIN = 0.1
# How much better (summed squares of `LOOKS` and `TOGETHER`) other names must fit for each one that is changed. The same
# 42, and all subsets of their modalities, reached 0.03.
SWAP_MARGIN = 0.15
# One look counts for so much at most: a small necrosis inside a bright rim is no T2.
LOUDEST = 0.2
# Rank correlation above which two modalities are one image.
SAME = 0.999


def far_spacing(spacing_mm: tuple[float, float, float], target_mm: float) -> str | None:
    """Voxels that are larger or smaller along some axis than those that the network sees by a factor of `FAR`."""
    if all(1 / FAR < size / target_mm < FAR for size in spacing_mm):
        return None
    sizes = " x ".join(f"{size:.3g}" for size in spacing_mm)
    return f"the voxels measure {sizes} mm and are resampled to {target_mm:g} mm; expect coarser predictions"


def not_skull_stripped(
    volumes: dict[str, np.ndarray], backgrounds: dict[str, float | None], spacing_mm: tuple[float, float, float]
) -> str | None:
    """Images that have no constant background (None) around the brain, or more in front of it than a brain fills."""
    advice = "expected skull-stripped images: strip them first"
    without = [name for name in volumes if backgrounds[name] is None]
    if without:
        return f"no constant background around the brain in {', '.join(without)}; {advice}"
    for name, volume in volumes.items():
        liters = float((thin(volume) != backgrounds[name]).mean()) * volume.size * float(np.prod(spacing_mm)) / 1e6
        if liters > LARGEST_BRAIN_LITERS:
            return f"{name} shows {liters:.1f} liters, a brain fills {LARGEST_BRAIN_LITERS:g} at most; {advice}"
    return None


def flipped(volumes: dict[str, np.ndarray], brain: np.ndarray, classes: np.ndarray | None) -> str | None:
    """A modality or the mask (class indices) that seems mirrored left to right against the rest.

    Modalities of one head share mutual information, which mirroring one of them takes away; a tumor differs from the
    brain across from it as its tissues do (`LOOKS`). None where the brain (bool) or the tumor is too small to tell.
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
    # A file is mirrored about the middle of its array; one that was registered afterwards, about that of the brain.
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
    return f"{' and '.join(few)} {verb} mirrored left to right against {', '.join(many)}; compare them in a viewer"


def swapped(volumes: dict[str, np.ndarray], brain: np.ndarray, classes: np.ndarray | None) -> str | None:
    """Modalities that look like others than they are named, or two that hold the same image.

    Looks are contrasts of the tumor's tissues (class indices) to the rest of the brain (bool), and of that rest the
    shape of the histogram and correlations, all by rank. The names tried are the subject's own, and t1 for t1ce and the
    other way round. None for names other than flair, t1, t1ce, t2, and where the brain is too small to tell.
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
            return f"{one} and {other} hold the same image; put the right file in the place of one"
    if classes is not None:
        for tissue, at in tissues(classes).items():
            for name in names:
                looks[name][tissue] = rank(volumes[name][at], bounds[name])

    def misfit(meanings):
        """Summed squares of all looks, were the modalities what `meanings` says; a changed name has its price."""
        means = dict(zip(names, meanings, strict=True))
        alone = sum(
            min((value - LOOKS[means[name]][look]) ** 2, LOUDEST)
            for name in names
            for look, value in looks[name].items()
        )
        pairs = sum((value - TOGETHER[frozenset((means[a], means[b]))]) ** 2 for (a, b), value in together.items())
        return alone + pairs + SWAP_MARGIN * sum(name != other for name, other in means.items())

    # T1 with contrast agent and without differ in the tumor alone; where that is known, each may be what the other is.
    twins = {"t1": "t1ce", "t1ce": "t1"} if classes is not None else {}
    strange = {name: twins[name] for name in names if name in twins and twins[name] not in names}
    tried = [
        meanings
        for meanings in permutations([*names, *strange.values()], len(names))
        if all(other in names or strange.get(name) == other for name, other in zip(names, meanings, strict=True))
    ]
    best = min(tried, key=misfit)
    alike = [f"{name} looks like {other}" for name, other in zip(names, best, strict=True) if name != other]
    return f"{', '.join(alike)}; check that the files are named as what they show" if alike else None
