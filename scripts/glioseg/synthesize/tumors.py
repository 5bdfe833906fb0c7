"""Gliomas that start in white matter, grow by reaction and diffusion, and displace the brain."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioseg.labels import CLASSES
from glioseg.synthesize.anatomy import BOX_SHAPE, COARSE_MM, coarsen, depth_mm, refine
from glioseg.synthesize.smooth_fields import smooth_noise
from glioseg.volumes.boxes import bounding_box, slices
from glioseg.volumes.orientation import voxel_ml

_NECROSIS, _EDEMA, _ENHANCING, _CAVITY = (CLASSES.index(name) for name in ("necrosis", "edema", "enhancing", "cavity"))
# Cell density that counts as tumor. The tumor front is steep, so the exact value matters little.
_VISIBLE = 0.3
_GROWTH = 0.12
_STEPS = 400


@dataclass(frozen=True)
class Plan:
    """Random parameters of a tumor, drawn before it grows; foci are coarse voxels, the largest focus first.

    No foci: a healthy brain. least_rim_mm: least thickness of the rim; patchy: share of the core that does not enhance,
    if it enhances in patches instead of a rim; edge_mm: blur of the borders between tissues (standard deviation);
    fade: share of the tumor's signal that is lost at its border, and of the core's that is edema's there; fade_mm:
    depth at which a third of that is lost still; cavity: share of the core that was removed and is a cavity now;
    cortical: how well it grows in cortex, from 0, where edema spares most of it, to 1, as in white matter.
    """

    foci: list[tuple[int, ...]]
    whole_ml: float
    core_ml: float
    enhancing: bool
    rim_mm: float
    push_mm: float
    least_rim_mm: float = 2.5
    patchy: float | None = None
    edge_mm: float = 0.7
    fade: float = 0.0
    fade_mm: float = 1.0
    cavity: float = 0.0
    cortical: float = 0.0


def draw_plan(rng: np.random.Generator, wm: np.ndarray, allowed: np.ndarray) -> Plan:
    """Plan of one tumor that starts in white matter (coarse fractions) where `allowed` (bool, same shape) is True."""
    enhancing = bool(rng.random() > 0.17)
    whole_ml = float(np.exp(rng.uniform(np.log(12), np.log(140))))
    core = rng.uniform(0.25, 0.6) if enhancing else rng.uniform(0.45, 0.75)
    places = np.argwhere((wm > 0.5) & allowed)
    foci = [places[rng.integers(len(places))]]
    if enhancing and rng.random() < 0.25:
        distance_mm = COARSE_MM * np.linalg.norm(places - foci[0], axis=1)
        near = places[(distance_mm > 25) & (distance_mm < 50)]
        foci.extend(near[rng.integers(len(near), size=rng.integers(1, 3))])
    return Plan(
        foci=[tuple(place.tolist()) for place in foci],
        whole_ml=whole_ml,
        core_ml=core * whole_ml,
        enhancing=enhancing,
        rim_mm=float(rng.uniform(3.0, 4.5)),
        push_mm=float(rng.uniform(3, 9)),
    )


def grow_tumor(foci: list[tuple[int, ...]], diffusion: np.ndarray, target_ml: float) -> np.ndarray:
    """Cell density (float32 0..1, coarse grid) grown from the foci until the visible tumor reaches `target_ml`.

    Solves Fisher's equation dc/dt = div(D grad c) + r c (1 - c), as for glioma in Swanson et al. 2000
    (doi:10.1046/j.1365-2184.2000.00177.x). `diffusion` is D in coarse voxels squared per step (at most 1/6); 0 where
    nothing can grow. A second focus starts smaller than the first. Growth always stops after `_STEPS` steps.
    """
    shape = diffusion.shape
    density = np.zeros(shape, np.float32)
    for rank, focus in enumerate(foci):
        density[focus] = 8 / (1 + 2 * rank)
    density = np.minimum(ndimage.gaussian_filter(density, 1.0), 1)
    density *= diffusion > 0
    # Flat arrays are fastest: a neighbor is `stride` elements further on, and faces at the array's edge are 0.
    flat, change, flux = density.ravel(), np.empty(density.size, np.float32), np.empty(density.size, np.float32)
    faces = [(stride, _faces(diffusion, axis)) for axis, stride in enumerate((shape[1] * shape[2], shape[2], 1))]
    size_ml = voxel_ml([COARSE_MM] * 3)
    for step in range(_STEPS):
        if step % 4 == 0 and np.count_nonzero(flat > _VISIBLE) * size_ml >= target_ml:
            break
        np.multiply(_GROWTH, flat, out=change)
        change *= np.subtract(1, flat, out=flux)
        for stride, face in faces:
            moved = np.subtract(flat[stride:], flat[:-stride], out=flux[:-stride])
            moved *= face[:-stride]
            change[:-stride] += moved
            change[stride:] -= moved
        flat += change
    return density


def _faces(diffusion: np.ndarray, axis: int) -> np.ndarray:
    """Diffusion (flat) between each voxel and the next along an axis: their harmonic mean; 0 for the last voxel."""
    near = np.moveaxis(diffusion, axis, 0)[:-1]
    far = np.moveaxis(diffusion, axis, 0)[1:]
    faces = np.zeros(diffusion.shape, np.float32)
    np.moveaxis(faces, axis, 0)[:-1] = 2 * near * far / (near + far + np.float32(1e-6))
    return faces.ravel()


def mass_effect(core: np.ndarray, brain: np.ndarray, push_mm: float) -> np.ndarray:
    """Displacement (float32, 3 x coarse grid, mm) away from the core, at most `push_mm`, fading at the skull."""
    pressure = ndimage.gaussian_filter(core, 10 / COARSE_MM)
    push = -np.stack(np.gradient(pressure))
    push *= np.clip(depth_mm(brain, COARSE_MM) / 12, 0, 1)
    longest = np.sqrt((push**2).sum(axis=0)).max()
    return (push * (push_mm / max(longest, 1e-6))).astype(np.float32)


def compartments(
    rng: np.random.Generator, whole: np.ndarray, core: np.ndarray, brain: np.ndarray, tissue: dict, plan: Plan
) -> np.ndarray:
    """Class indices (uint8, BOX_SHAPE) of a tumor from cell densities (coarse grid), brain and tissue fractions.

    The core has an irregular border and an enhancing rim of varying thickness; edema spares cortex and fluid.
    """
    ragged = 0.22 * smooth_noise(rng, BOX_SHAPE, 7) + 0.10 * smooth_noise(rng, BOX_SHAPE, 4)
    thickness_mm = np.maximum(plan.rim_mm * np.exp(0.35 * smooth_noise(rng, BOX_SHAPE, 11)), plan.least_rim_mm)
    if not plan.foci:
        return np.zeros(BOX_SHAPE, np.uint8)
    core_density, whole_density = refine(core), refine(whole)
    part = slices(bounding_box((whole_density > 0.02) | (core_density > 0.02)))
    in_brain_mm = refine(depth_mm(coarsen(brain), COARSE_MM)) if plan.cavity else None
    brain, ragged, core_density = brain[part], ragged[part], core_density[part]
    in_core = brain & (core_density > 0.02) & (core_density + ragged > 0.45)
    in_core = ndimage.binary_opening(in_core)
    reach = whole_density[part] - 0.35 * (1 - plan.cortical) * tissue["gm"][part] + 0.5 * ragged
    in_whole = ndimage.binary_opening(brain & (reach > _VISIBLE) & (tissue["csf"][part] < 0.5)) | in_core
    # Remove random islands of edema that are not connected to a core.
    islands, _ = ndimage.label(in_whole)
    in_whole = np.isin(islands, np.unique(islands[in_core]))
    classes = np.zeros(BOX_SHAPE, np.uint8)
    tumor = classes[part]
    tumor[in_whole] = _EDEMA
    tumor[in_core] = _NECROSIS
    if plan.patchy is not None:
        spots = smooth_noise(rng, BOX_SHAPE, 8)[part] + 0.5 * smooth_noise(rng, BOX_SHAPE, 4)[part]
        if in_core.any():
            tumor[in_core & (spots >= np.quantile(spots[in_core], plan.patchy))] = _ENHANCING
    elif plan.enhancing:
        depth = depth_mm(np.pad(in_core, 1), 1)[1:-1, 1:-1, 1:-1]
        tumor[in_core & (depth <= thickness_mm[part])] = _ENHANCING
    if plan.cavity and in_core.any():
        # Surgeons take away a part of the core, from the surface of the brain inwards.
        order = (in_brain_mm + 3 * smooth_noise(rng, BOX_SHAPE, 12))[part]
        removed = in_core & (order <= np.quantile(order[in_core], plan.cavity))
        tumor[ndimage.binary_opening(removed)] = _CAVITY
    return classes
