"""A healthy head: the ICBM152 2009a average brain, bent into one subject and laid on the BraTS grid."""

import importlib.util
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from glioseg.fields import coarse_shape, smooth_noise, upsample

SHAPE = (240, 240, 155)
# Left-posterior-superior, as in every BraTS file: the first two axes run against the world's.
AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]], np.float64)

# The brain fits in this part of the grid; the rest is background and costs no time.
BOX = (slice(42, 198), slice(30, 226), slice(0, 155))
BOX_SHAPE = (156, 196, 155)
# Tumors grow, and anatomy is pushed aside, on a coarser grid: both are smooth.
COARSE_MM = 2
COARSE_SHAPE = coarse_shape(BOX_SHAPE, COARSE_MM)

_BOX_CENTER = np.array([77, 97, 75], np.float32)
_TEMPLATE_CENTER = np.array([98, 117, 77], np.float32)


@cache
def template() -> dict[str, np.ndarray]:
    """The average brain that nilearn carries: "brain" (0 or 1), "gm", "wm" (float32 fractions, 197x233x189, 1 mm).

    Source: ICBM 2009a nonlinear symmetric (Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033).
    Raises FileNotFoundError where nilearn or its files are missing.
    """
    spec = importlib.util.find_spec("nilearn")
    if spec is None:
        raise FileNotFoundError("phantoms are made from the brain that nilearn carries: install nilearn")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    t1, gm, wm = (
        np.asanyarray(nib.load(folder / f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz").dataobj)
        for tissue in ("t1", "gm", "wm")
    )
    brain = (t1 > 0).astype(np.float32)
    return {"brain": brain, "gm": gm.astype(np.float32) / 255, "wm": wm.astype(np.float32) / 255}


def draw_warp(rng: np.random.Generator) -> np.ndarray:
    """Template position (float32, 3 x BOX_SHAPE, voxels) of every voxel of BOX: a size, a small turn, a smooth bend."""
    scale = rng.uniform(0.90, 0.98) * rng.uniform(0.97, 1.03, 3)
    turn = _rotation(rng.normal(0, np.radians(2.5), 3))
    # The template runs right-anterior-superior, the BraTS grid left-posterior-superior.
    matrix = (turn @ np.diag([-1, -1, 1] / scale)).astype(np.float32)
    axes = [np.arange(size, dtype=np.float32) - center for size, center in zip(BOX_SHAPE, _BOX_CENTER, strict=True)]
    warp = np.empty((3, *BOX_SHAPE), np.float32)
    for axis in range(3):
        warp[axis] = (
            matrix[axis, 0] * axes[0][:, None, None]
            + matrix[axis, 1] * axes[1][None, :, None]
            + matrix[axis, 2] * axes[2][None, None, :]
            + _TEMPLATE_CENTER[axis]
        )
        warp[axis] += 2.5 * smooth_noise(rng, BOX_SHAPE, 32) + 1.0 * smooth_noise(rng, BOX_SHAPE, 12)
    return warp


def tissues(warp: np.ndarray, brain: np.ndarray) -> dict[str, np.ndarray]:
    """Fractions (float32, the warp's spatial shape, 0 outside the brain) of "csf", "gm", "wm" at template positions.

    The average of many brains is blurred; squaring the fractions gives back the edges that one brain has.
    """
    places = warp[:, brain]
    gm, wm = (_sample(template()[name], places) for name in ("gm", "wm"))
    sharp = {"csf": np.square(1.6 * np.clip(1 - gm - wm, 0, 1)), "gm": np.square(gm), "wm": np.square(wm)}
    total = sum(sharp.values())
    fractions = {}
    for name, share in sharp.items():
        fractions[name] = np.zeros(brain.shape, np.float32)
        fractions[name][brain] = share / total
    return fractions


def coarse_brain(warp: np.ndarray) -> np.ndarray:
    """Share (float32 0..1, the warp's spatial shape) of brain at template positions."""
    return _sample(template()["brain"], warp)


def coarsen(field: np.ndarray) -> np.ndarray:
    """Every COARSE_MM-th voxel (view, COARSE_SHAPE) of a field on BOX (spatial axes last)."""
    padded = np.pad(field, [(0, 0)] * (field.ndim - 3) + [(0, 1)] * 3, mode="edge")
    return padded[..., ::COARSE_MM, ::COARSE_MM, ::COARSE_MM][
        ..., : COARSE_SHAPE[0], : COARSE_SHAPE[1], : COARSE_SHAPE[2]
    ]


def refine(field: np.ndarray) -> np.ndarray:
    """Field on BOX (float32, 1 mm) of one on the coarse grid (COARSE_SHAPE)."""
    return upsample(field, COARSE_MM, BOX_SHAPE)


def _sample(volume: np.ndarray, places: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(volume, places, order=1, mode="constant", cval=0)


def _rotation(angles: np.ndarray) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        first, second = [other for other in range(3) if other != axis]
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    return matrix
