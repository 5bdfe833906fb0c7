"""A healthy brain: the ICBM152 2009a average brain, deformed for each subject and sampled on the BraTS grid."""

import importlib.util
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from glioseg.synthesize.smooth_fields import coarse_shape, smooth_noise, upsample
from glioseg.volumes.boxes import bounding_box, grow, slices
from glioseg.volumes.orientation import rotation
from glioseg.volumes.trilinear import interpolate

SHAPE = (240, 240, 155)
# Left-posterior-superior, as in every BraTS file: the first two axes are opposite to the world axes.
AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]], np.float64)

# The brain fits in this part of the grid; the rest is background and needs no computation.
BOX = (slice(42, 198), slice(30, 226), slice(0, 155))
BOX_SHAPE = (156, 196, 155)
# Tumor growth and mass effect are smooth, so they are computed on a coarser grid.
COARSE_MM = 2
COARSE_SHAPE = coarse_shape(BOX_SHAPE, COARSE_MM)

_BOX_CENTER = np.array([77, 97, 75], np.float32)
_TEMPLATE_CENTER = np.array([98, 117, 77], np.float32)
# Center of the lateral ventricles in the template (voxels), and how far a change of their size reaches.
_VENTRICLES, _VENTRICLES_MM = np.array([[98, 119, 90], [24, 36, 20]], np.float32)

# Number of positions sampled at a time, so that their arrays stay in the processor's cache.
_CHUNK = 1 << 15


@cache
def template() -> dict[str, np.ndarray]:
    """The average brain included in nilearn: "brain" (0 or 1), "gm", "wm" (float32 fractions, 197x233x189, 1 mm).

    Source: ICBM 2009a nonlinear symmetric (Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033).
    Raises FileNotFoundError if nilearn or its files are missing.
    """
    spec = importlib.util.find_spec("nilearn")
    if spec is None:
        raise FileNotFoundError("phantoms need the average brain that nilearn includes; install nilearn")
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "data"
    t1, gm, wm = (
        np.ascontiguousarray(nib.load(folder / f"mni_icbm152_{tissue}_tal_nlin_sym_09a_converted.nii.gz").dataobj)
        for tissue in ("t1", "gm", "wm")
    )
    brain = (t1 > 0).astype(np.float32)
    return {"brain": brain, "gm": gm.astype(np.float32) / 255, "wm": wm.astype(np.float32) / 255}


def draw_warp(rng: np.random.Generator, varied: bool = False) -> np.ndarray:
    """Template position (float32, 3 x BOX_SHAPE, voxels) of each voxel of BOX: scaled, rotated, smoothly deformed.

    varied: whether brains differ more, and have ventricles of any size, as those of patients do.
    """
    scale = rng.uniform(0.90, 0.98) * rng.uniform(0.97, 1.03, 3)
    turn = rotation(rng.normal(0, np.radians(2.5), 3))
    # The template's axes point right-anterior-superior, those of the BraTS grid left-posterior-superior.
    matrix = (turn @ np.diag([-1, -1, 1] / scale)).astype(np.float32)
    axes = [np.arange(size, dtype=np.float32) - center for size, center in zip(BOX_SHAPE, _BOX_CENTER, strict=True)]
    warp = np.empty((3, *BOX_SHAPE), np.float32)
    for axis in range(3):
        warp[axis] = (
            matrix[axis, 0] * axes[0][:, None, None]
            + matrix[axis, 1] * axes[1][None, :, None]
            + matrix[axis, 2] * axes[2][None, None, :]
        )
        warp[axis] += _TEMPLATE_CENTER[axis]
        warp[axis] += (4 if varied else 2.5) * smooth_noise(rng, BOX_SHAPE, 32) + smooth_noise(rng, BOX_SHAPE, 12)
    if varied:
        # Positions move toward the center of the ventricles, which widens them, or away from it.
        offset = [warp[axis] - place for axis, place in enumerate(_VENTRICLES)]
        near = sum((part / size) ** 2 for part, size in zip(offset, _VENTRICLES_MM, strict=True))
        strength = np.float32(rng.uniform(-0.15, 0.4)) * np.exp(-near / 2)
        for axis, part in enumerate(offset):
            warp[axis] -= strength * part
    return warp


def tissue_fractions(warp: np.ndarray, brain: np.ndarray) -> dict[str, np.ndarray]:
    """Fractions (float32, the warp's spatial shape, 0 outside the brain) of "csf", "gm", "wm" at template positions.

    The average of many brains is blurred; squaring the fractions makes edges as sharp as in a single brain.
    """
    gm, wm = _sample(("gm", "wm"), np.stack([axis[brain] for axis in warp]))
    sharp = {"csf": np.square(1.6 * np.clip(1 - gm - wm, 0, 1)), "gm": np.square(gm), "wm": np.square(wm)}
    total = sum(sharp.values())
    fractions = {}
    for name, share in sharp.items():
        fractions[name] = np.zeros(brain.shape, np.float32)
        fractions[name][brain] = share / total
    return fractions


def coarse_brain(warp: np.ndarray) -> np.ndarray:
    """Fraction of brain (float32 0..1, the warp's spatial shape) at template positions."""
    return _sample(("brain",), warp)[0]


def coarsen(field: np.ndarray) -> np.ndarray:
    """Every COARSE_MM-th voxel (COARSE_SHAPE) of a field on BOX (spatial axes last); the last voxel repeats beyond."""
    kept = (np.minimum(np.arange(n) * COARSE_MM, size - 1) for n, size in zip(COARSE_SHAPE, BOX_SHAPE, strict=True))
    return field[(..., *np.ix_(*kept))]


def refine(field: np.ndarray) -> np.ndarray:
    """Field on BOX (float32, 1 mm), interpolated from the coarse grid (COARSE_SHAPE)."""
    return upsample(field, COARSE_MM, BOX_SHAPE)


def depth_mm(inside: np.ndarray, voxel_mm: float) -> np.ndarray:
    """Distance (float32, mm, same shape) from each True voxel to the nearest False voxel; 0 at False voxels.

    Nothing outside the array counts, so the edge of the array is not a border.
    """
    depth = np.zeros(inside.shape, np.float32)
    # The nearest False voxel is always in the box or in the layer of voxels around it.
    box = slices(grow(bounding_box(inside), inside.shape))
    depth[box] = ndimage.distance_transform_edt(inside[box], sampling=voxel_mm)
    return depth


def _sample(names: tuple[str, ...], places: np.ndarray) -> np.ndarray:
    """Values (float32, one row per name, then as `places`) of the template's volumes at positions (float32, 3 x ...).

    Values are interpolated linearly between voxels, and 0 outside the template.
    """
    volumes = [template()[name].ravel() for name in names]
    shape = template()["brain"].shape
    last = np.array(shape, np.float32)[:, None] - 1
    flat = places.reshape(3, -1)
    values = np.empty((len(names), flat.shape[1]), np.float32)
    for start in range(0, flat.shape[1], _CHUNK):
        chunk = slice(start, start + _CHUNK)
        held = np.clip(flat[:, chunk], 0, last)
        inside = (held == flat[:, chunk]).all(axis=0)
        corner = np.minimum(np.floor(held), last - 1)
        index = np.ravel_multi_index(corner.astype(np.intp), shape)
        steps = list(zip((shape[1] * shape[2], shape[2], 1), held - corner, strict=True))
        for row, volume in zip(values, volumes, strict=True):
            row[chunk] = inside * interpolate(volume.take, index, steps)
    return values.reshape(len(names), *places.shape[1:])
