"""Phantom patients: a deformed average brain with a simulated glioma, imaged by an imperfect scanner."""

import zlib
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from glioseg.choices import choose
from glioseg.labels import OF_PHANTOMS, to_values
from glioseg.synthesize.anatomy import (
    AFFINE,
    BOX,
    BOX_SHAPE,
    COARSE_MM,
    SHAPE,
    coarse_brain,
    coarsen,
    draw_warp,
    refine,
    tissue_fractions,
)
from glioseg.synthesize.contrast import TISSUES
from glioseg.synthesize.kinds import draw_any_plan, draw_treated_plan
from glioseg.synthesize.mixture import distractors, fill, mix_tissues, noise_in
from glioseg.synthesize.tumors import Plan, compartments, draw_plan, grow_tumor, mass_effect

__all__ = ["AFFINE", "KINDS", "MODALITIES", "SHAPE", "grow_patient", "phantom", "phantom_and_tissues"]

MODALITIES = ("flair", "t1", "t1ce", "t2")

# Signal of each tissue relative to white matter on T1, before a subject's own variation.
_SIGNAL = {
    "flair": {"csf": 0.22, "gm": 0.80, "wm": 0.64, "necrosis": 0.74, "edema": 1.22, "enhancing": 1.08},
    "t1": {"csf": 0.30, "gm": 0.70, "wm": 1.00, "necrosis": 0.44, "edema": 0.70, "enhancing": 0.66},
    "t1ce": {"csf": 0.30, "gm": 0.74, "wm": 1.00, "necrosis": 0.46, "edema": 0.72, "enhancing": 1.34},
    "t2": {"csf": 1.60, "gm": 0.84, "wm": 0.62, "necrosis": 1.35, "edema": 1.14, "enhancing": 0.98},
}
# Relative change of the signal per unit of free water in a tissue; this makes modalities vary together.
_WATER = {"flair": 0.06, "t1": -0.05, "t1ce": -0.05, "t2": 0.07}


# How the plan of a phantom is drawn. usual: gliomas of one kind; many: also others, and healthy brains; treated: the
# same, most of them after surgery.
KINDS = {"usual": draw_plan, "many": draw_any_plan, "treated": draw_treated_plan}


def phantom(subject: str, seed: int, kinds: str = "usual") -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images (int16, SHAPE, by modality; background 0, brain at least 1) and mask (uint8) of a subject.

    The values of the mask are those of the label dialect `OF_PHANTOMS[kinds]`. The same subject and seed give the same
    arrays; a different subject or seed gives a different patient.
    """
    return phantom_and_tissues(subject, seed, kinds)[:2]


def phantom_and_tissues(subject: str, seed: int, kinds: str) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Images and mask of `phantom`, and tissue maps (uint8, BOX_SHAPE x len(TISSUES), 255 is a fraction of 1).

    Raises ValueError for unknown `kinds`.
    """
    rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
    draw = choose("kinds", kinds, KINDS)
    warp = draw_warp(rng, varied=kinds != "usual")
    brain, tissue, classes, plan = grow_patient(rng, warp, draw)
    # The brain's voxels are a third of BOX. From here on, lists of only their values take a third of the time.
    tissue = {name: fraction[brain] for name, fraction in tissue.items()}
    lesions, layers = distractors(rng, warp, brain, tissue, classes[brain], supplied=kinds != "usual")
    fractions = mix_tissues(rng, brain, tissue, classes, plan)
    images = {}
    signals = _draw_signals(rng, plan.enhancing)
    texture = 0.05 * noise_in(rng, brain, 3) + 0.05 * noise_in(rng, brain, 14)
    for modality in MODALITIES:
        signal = sum(signals[modality][name] * fraction for name, fraction in fractions.items())
        signal += lesions[modality]
        signal *= 1 + texture * _WATER[modality] / 0.06
        images[modality] = _on_grid(fill(brain, _scan(rng, signal, brain)))
    tissues = np.zeros((*BOX_SHAPE, len(TISSUES)), np.uint8)
    tissues[brain] = np.stack([np.rint(255 * np.clip((fractions | layers)[name], 0, 1)) for name in TISSUES], -1)
    return images, _on_grid(to_values(classes, OF_PHANTOMS[kinds])), tissues


def grow_patient(
    rng: np.random.Generator, warp: np.ndarray, draw: Callable[..., Plan]
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray, Plan]:
    """Brain (bool), tissue fractions, class indices (all BOX_SHAPE), and the plan of the tumor; deforms `warp`."""
    rough_warp = coarsen(warp)
    _, behind, height = rough_warp
    rough_brain = coarse_brain(rough_warp) > 0.5
    rough = tissue_fractions(rough_warp, rough_brain)
    # Gliomas of adults are in the cerebrum, not in the brain stem or the cerebellum.
    allowed = (height > 50) & ((behind > 80) | (height > 68))
    plan = draw(rng, rough["wm"], allowed)
    parenchyma = rough_brain & (rough["csf"] < 0.5)
    cortex = np.float32(0.02 + 0.14 * plan.cortical)
    whole = grow_tumor(plan.foci, (0.16 * rough["wm"] + cortex * rough["gm"]) * parenchyma, plan.whole_ml)
    core = grow_tumor(plan.foci, np.float32(0.06) * parenchyma, plan.core_ml)
    push = mass_effect(core, rough_brain, plan.push_mm)
    here = np.indices(core.shape, dtype=np.float32) - push / COARSE_MM
    whole, core = (ndimage.map_coordinates(density, here, order=1, mode="nearest") for density in (whole, core))
    # A voxel x shows the tissue from x - push. The template's first two axes are opposite to those of the grid.
    for axis, along in enumerate((-1, -1, 1)):
        warp[axis] -= along * refine(push[axis])
    brain = refine(coarse_brain(coarsen(warp))) > 0.5
    tissue = tissue_fractions(warp, brain)
    return brain, tissue, compartments(rng, whole, core, brain, tissue, plan), plan


def _draw_signals(rng: np.random.Generator, enhancing: bool) -> dict[str, dict[str, float]]:
    water = {name: rng.normal() for name in _SIGNAL["t1"]}
    fluid = rng.uniform(0, 1)
    signals = {}
    for modality in MODALITIES:
        signals[modality] = {
            name: value * (1 + _WATER[modality] * water[name] + 0.03 * rng.normal())
            for name, value in _SIGNAL[modality].items()
        }
    # Necrosis ranges from fluid, dark on FLAIR, to dense tissue; without enhancement the core is solid low-grade tumor.
    signals["flair"]["necrosis"] += 0.5 * (fluid - 0.6) if enhancing else 0.28
    if not enhancing:
        signals["t2"]["necrosis"] += 0.1
    return signals


def _scan(rng: np.random.Generator, signal: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Image (int16) of a signal (both lists of the brain's voxels), with a scanner's contrast, bias field and gain.

    The noise is Rician.
    """
    contrast, gain, noise = rng.uniform(0.85, 1.2), rng.uniform(180, 700), rng.uniform(0.05, 0.09)
    image = np.maximum(signal, 0.02) ** np.float32(contrast)
    image *= np.exp(0.09 * noise_in(rng, brain, 60))
    real, imaginary = (rng.standard_normal(BOX_SHAPE, np.float32)[brain] * np.float32(noise) for _ in range(2))
    image = np.sqrt((image + real) ** 2 + imaginary**2) * gain
    return np.clip(np.rint(image), 1, 32767).astype(np.int16)


def _on_grid(part: np.ndarray) -> np.ndarray:
    whole = np.zeros(SHAPE, part.dtype)
    whole[BOX] = part
    return whole
