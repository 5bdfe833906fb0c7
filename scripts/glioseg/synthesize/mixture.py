"""What each voxel of a phantom consists of: fractions of tissues, and healthy structures that look like tumor.

Fractions and signals are lists of the brain's voxels: these are a third of the box, and so is the time.
"""

import math

import numpy as np
from scipy import ndimage

from glioseg.labels import CLASSES
from glioseg.synthesize.anatomy import BOX_SHAPE, COARSE_MM, coarsen, depth_mm, refine
from glioseg.synthesize.smooth_fields import smooth_noise
from glioseg.synthesize.tumors import Plan
from glioseg.volumes import boxes


def distractors(
    rng: np.random.Generator,
    warp: np.ndarray,
    brain: np.ndarray,
    tissue: dict[str, np.ndarray],
    classes: np.ndarray,
    supplied: bool,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Signal (float32, by modality) of healthy structures that look like tumor in single voxels, and their fractions.

    `tissue`, `classes` (indices), the signals and the fractions are lists of the brain's voxels. supplied: whether
    vessels go through the tumor, too, where it does not enhance.
    """
    healthy = classes == 0
    csf, gm, wm = (tissue[name] for name in ("csf", "gm", "wm"))
    deep_mm = refine(depth_mm(coarsen(brain), COARSE_MM))[brain]
    ventricle = csf * (deep_mm > 26) * (warp[2][brain] > 45)
    around = refine(ndimage.gaussian_filter(coarsen(fill(brain, ventricle)), 3.0 / COARSE_MM))[brain]
    tubes = np.exp(-(noise_in(rng, brain, 9) ** 2 + noise_in(rng, brain, 9) ** 2) / 0.12)
    vessels = tubes * np.clip(csf + 0.7 * gm + 0.3 * (deep_mm < 15), 0, 1)
    dura = (deep_mm < 2.5) * np.clip(noise_in(rng, brain, 12) + 0.2, 0, 1)
    falx = (np.abs(warp[0][brain] - 98) < 1.2) * (deep_mm < 14) * (wm < 0.3)
    choroid = ventricle * (np.exp(-(noise_in(rng, brain, 7) ** 2) / 0.15))
    bright = healthy * np.maximum.reduce([vessels, 0.8 * dura, 0.6 * falx, 0.8 * choroid])
    if supplied:
        through = (classes == CLASSES.index("necrosis")) | (classes == CLASSES.index("edema"))
        bright = np.maximum(bright, through * tubes * np.clip(csf + 0.7 * gm + 0.3, 0, 1))
    # White matter ages symmetrically: bright caps around the ventricles and spots in the deep white matter.
    age = rng.uniform(0.0, 1.0)
    spots = smooth_noise(rng, BOX_SHAPE, 8)
    both = 0.6 * (spots + spots[::-1])[brain]
    caps = np.clip((around - 0.16 + 0.12 * age) * 9, 0, 1)
    spots = np.clip((both - 1.7 + 0.6 * age) * 3, 0, 1) * (deep_mm > 12)
    aged = healthy * wm * np.maximum(caps * np.clip(0.6 + both, 0, 1), spots)
    aged = ndimage.gaussian_filter(fill(brain, aged), 0.7, truncate=2)[brain]
    leak = rng.uniform(0, 0.35) * csf * healthy * np.clip(noise_in(rng, brain, 20), 0, 2)
    lit = rng.uniform(0.5, 0.8)
    cortex = 0.08 * gm * noise_in(rng, brain, 16)
    signals = {
        "flair": 0.44 * aged + leak + 0.35 * dura * healthy + cortex,
        "t1": -0.12 * aged,
        "t1ce": lit * bright - 0.12 * aged,
        "t2": 0.35 * aged - 0.3 * tubes * csf + cortex,
    }
    thick_mm = 2.5
    if supplied:
        # Where the skull was not cut off well: blobs of what lies around the brain, such as the orbits, mostly below.
        below = np.where(warp[2][brain] < 70, 1.0, 0.5)
        thick_mm = thick_mm + 12 * np.clip(below * rng.uniform(0.3, 1.2) * noise_in(rng, brain, 22) - 0.8, 0, 1)
    return signals, {"vessels": bright, "aged": aged, "rim": healthy * (deep_mm < thick_mm)}


def mix_tissues(
    rng: np.random.Generator, brain: np.ndarray, tissue: dict[str, np.ndarray], classes: np.ndarray, plan: Plan
) -> dict[str, np.ndarray]:
    """Fractions (float32, lists of the brain's voxels) of all tissues; blurred tumor borders give partial volumes."""
    strength = np.clip(0.85 + 0.12 * noise_in(rng, brain, 10), 0.5, 1)
    # The blur reaches twice its standard deviation, so this box contains all of it.
    near = boxes.slices(boxes.grow(boxes.bounding_box(classes > 0), classes.shape, 2 * math.ceil(plan.edge_mm)))

    def blurred(name, edge_mm):
        member = np.zeros(BOX_SHAPE, np.float32)
        inside = (classes[near] == CLASSES.index(name)).astype(np.float32)
        member[near] = ndimage.gaussian_filter(inside, edge_mm, truncate=2)
        return member[brain]

    tumor = {name: blurred(name, plan.edge_mm) for name in ("necrosis", "edema", "enhancing")}
    if plan.fade:
        _fade(tumor, brain, classes, plan)
    tumor["edema"] *= strength
    left = np.clip(1 - sum(tumor.values()), 0, 1)
    mixed = {name: tissue[name] * left for name in ("csf", "gm", "wm")} | tumor
    if plan.cavity:
        # Fluid fills it up to a sharp border.
        cavity = blurred("cavity", 0.6)
        mixed = {name: fraction * (1 - cavity) for name, fraction in mixed.items()}
        mixed["csf"] += cavity
    return mixed


def _fade(tumor: dict[str, np.ndarray], brain: np.ndarray, classes: np.ndarray, plan: Plan) -> None:
    """Weaken the fractions of a tumor (lists of the brain's voxels) towards its border, and the core's to edema's."""
    core = (classes == CLASSES.index("necrosis")) | (classes == CLASSES.index("enhancing"))
    lost_whole, lost_core = (
        np.float32(share) * np.exp(-depth_mm(inside, 1)[brain] / np.float32(reach_mm))
        for inside, share, reach_mm in ((classes > 0, plan.fade, plan.fade_mm), (core, plan.fade / 2, plan.fade_mm / 2))
    )
    for name in ("necrosis", "enhancing"):
        tumor["edema"] += lost_core * tumor[name]
        tumor[name] *= 1 - lost_core
    for fraction in tumor.values():
        fraction *= 1 - lost_whole


def noise_in(rng: np.random.Generator, brain: np.ndarray, step_mm: float) -> np.ndarray:
    return smooth_noise(rng, BOX_SHAPE, step_mm)[brain]


def fill(brain: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Array (BOX_SHAPE, the values' dtype) with the values at the brain's voxels and 0 elsewhere."""
    filled = np.zeros(BOX_SHAPE, values.dtype)
    filled[brain] = values
    return filled
