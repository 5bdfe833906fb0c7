"""Kinds of gliomas that patients have, beyond the usual phantom, healthy brains, and gliomas after surgery."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from glioseg.synthesize.anatomy import COARSE_MM
from glioseg.synthesize.tumors import Plan, draw_plan

# Kind -> share of the phantoms. ring: necrosis with a rim, as the usual phantom; patchy: enhancing in patches; solid:
# all of the core enhances; faint: low grade, without enhancement and with gradual borders; sharp: the same with sharp
# borders, such as a cyst; small; large: with much mass effect; foci: several, which may be on both sides; healthy.
SHARES = {
    "ring": 0.26,
    "patchy": 0.12,
    "solid": 0.1,
    "faint": 0.16,
    "sharp": 0.1,
    "small": 0.09,
    "large": 0.07,
    "foci": 0.06,
    "healthy": 0.04,
}


# Share of the tumors that start below the cortex and grow into it.
SURFACE = 0.45
# Share of the tumors of `draw_treated_plan` that have a resection cavity.
TREATED = 0.8


def draw_any_plan(rng: np.random.Generator, wm: np.ndarray, allowed: np.ndarray) -> Plan:
    """Plan of a tumor of any kind; the arguments are those of `draw_plan`."""
    surface, cortical = rng.random() < SURFACE, float(rng.uniform(0.3, 1))
    if surface:
        # White matter that is a fold of the cortex.
        fold = allowed & (ndimage.gaussian_filter(wm, 6 / COARSE_MM) < 0.45)
        allowed = fold if ((wm > 0.5) & fold).any() else allowed
    plan = replace(draw_plan(rng, wm, allowed), cortical=cortical if surface else 0.0)
    kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    plan = replace(plan, edge_mm=float(rng.uniform(0.5, 1.2)), least_rim_mm=1.5, rim_mm=float(rng.uniform(1.5, 4.5)))
    # Readers draw borders around the faint margin, too.
    plan = replace(plan, fade=float(rng.uniform(0, 0.9)), fade_mm=float(rng.uniform(1, 4)))
    # Edema ranges from nearly none to most of the tumor.
    core, whole = np.exp(rng.uniform(np.log([0.05, 20]), np.log([0.8, 230]))).tolist()
    plan = replace(plan, whole_ml=whole, core_ml=float(core * whole), enhancing=kind not in ("faint", "sharp"))
    if kind == "healthy":
        return replace(plan, foci=[], whole_ml=0, core_ml=0, push_mm=0)
    if kind == "patchy":
        return replace(plan, patchy=float(rng.uniform(0.3, 0.9)))
    if kind == "solid":
        return replace(plan, rim_mm=40.0)
    if kind in ("faint", "sharp"):
        edge = rng.uniform(1.2, 3) if kind == "faint" else 0.6
        return replace(plan, core_ml=float(rng.uniform(0.4, 0.92) * whole), edge_mm=float(edge))
    if kind == "small":
        whole = float(np.exp(rng.uniform(np.log(2), np.log(12))))
        return replace(plan, foci=plan.foci[:1], whole_ml=whole, core_ml=float(core * whole), push_mm=1.0)
    if kind == "large":
        whole = float(rng.uniform(140, 240))
        return replace(plan, whole_ml=whole, core_ml=float(core * whole), push_mm=float(rng.uniform(8, 14)))
    if kind == "foci":
        places = np.argwhere((wm > 0.5) & allowed)
        distance_mm = COARSE_MM * np.linalg.norm(places - plan.foci[0], axis=1)
        far = places[distance_mm > 30]
        more = far[rng.integers(len(far), size=rng.integers(1, 4))]
        return replace(plan, foci=[plan.foci[0], *(tuple(place.tolist()) for place in more)])
    return plan


def draw_treated_plan(rng: np.random.Generator, wm: np.ndarray, allowed: np.ndarray) -> Plan:
    """Plan of a tumor of any kind, mostly with a resection cavity; the arguments are those of `draw_plan`."""
    plan = draw_any_plan(rng, wm, allowed)
    operated, cavity = rng.random() < TREATED, float(rng.uniform(0.3, 0.97))
    return replace(plan, cavity=cavity) if operated else plan
