"""The signals of tissues in each modality, relative to each other, as they are drawn for a patient.

plain: how visible the edema is, and fluids: how much of the necrosis (solid decay, cyst) is fluid, all from 0 to 1.
"""

from collections.abc import Callable

import numpy as np

# What a tool for stripping leaves: by how much it is brighter than the brain on FLAIR, T1, T1ce and T2 (lowest and
# highest). Fat, as in the orbits, is as bright after contrast agent as before it; dura and sinuses are not.
_REMAINS = {
    "fat": ((0.2, 1.3), (0.5, 1.6), None, (0.0, 0.9)),
    "dura": ((-0.3, 0.4), (-0.3, 0.3), (0.2, 2.0), (-0.3, 0.4)),
    "bone or muscle": ((-0.7, 0.1), (-0.6, 0.1), None, (-0.6, 0.1)),
    "any": ((-0.3, 1.0), (-0.3, 1.0), (-0.3, 1.8), (-0.3, 1.0)),
}


def draw_remains(random: np.random.Generator) -> np.ndarray:
    """Signals (4) of something that stripping left, less that of the brain and relative to that of white matter."""
    name = random.choice(list(_REMAINS))
    drawn = [None if limits is None else random.uniform(*limits) for limits in _REMAINS[name]]
    # Without contrast agent, T1ce looks like T1.
    drawn[2] = drawn[1] * random.uniform(0.8, 1.2) if drawn[2] is None else drawn[2]
    return np.array(drawn) * random.uniform(0.5 if name == "fat" else 0, 1)


def _flair(random: np.random.Generator, plain: float, fluids: np.ndarray) -> dict:
    wm = 0.64
    gm, csf = wm * random.uniform(0.98, 1.4), wm * random.uniform(0.05, 0.5)
    edema = gm * (1.1 + 1.1 * plain * random.uniform(0.6, 1))
    solid = edema * random.uniform(0.65, 1.3)
    # Scanners suppress clear fluid, and little of one that holds protein. Cysts are clearer than what decays.
    fluids = fluids * random.uniform(0, 1, 2) ** [1.5, 0.5]
    return {"wm": wm, "gm": gm, "csf": csf, "edema": edema, "enhancing": edema * random.uniform(0.8, 1.3)} | {
        "necrosis": solid + (csf * random.uniform(1, 2) - solid) * fluids
    }


def _t1(random: np.random.Generator, plain: float, fluids: np.ndarray) -> dict:
    wm = 1.0
    gm, csf = random.uniform(0.65, 0.98), random.uniform(0.2, 0.55)
    # Edema lies in white matter, and keeps some of its signal.
    edema = (gm + (wm - gm) * random.uniform(0, 0.8)) * (1 - 0.35 * plain * random.uniform(0, 1))
    solid = edema * random.uniform(0.7, 1.1)
    return {"wm": wm, "gm": gm, "csf": csf, "edema": edema, "enhancing": edema * random.uniform(0.8, 1.3)} | {
        "necrosis": solid + (csf * random.uniform(0.9, 1.4) - solid) * fluids
    }


def _t1ce(random: np.random.Generator, plain: float, fluids: np.ndarray) -> dict:
    healthy = _t1(random, plain, fluids)
    brightest = max(healthy["wm"], healthy["gm"])
    return healthy | {"enhancing": brightest * (1.2 + random.uniform(0, 1.2) ** 1.4)}


def _t2(random: np.random.Generator, plain: float, fluids: np.ndarray) -> dict:
    wm = 0.62
    gm, csf = wm * random.uniform(1.1, 1.6), wm * random.uniform(1.8, 4)
    edema = gm * (1.14 + 1.1 * plain * random.uniform(0.5, 1))
    solid = edema * random.uniform(0.85, 1.3)
    return {"wm": wm, "gm": gm, "csf": csf, "edema": edema, "enhancing": edema * random.uniform(0.85, 1.4)} | {
        "necrosis": solid + (max(csf * random.uniform(0.8, 1), solid) - solid) * fluids
    }


# Each returns the signal of a tissue by its name, of necrosis two: that of solid decay and that of a cyst.
SIGNALS: dict[str, Callable[[np.random.Generator, float, np.ndarray], dict]] = {
    "flair": _flair,
    "t1": _t1,
    "t1ce": _t1ce,
    "t2": _t2,
}
