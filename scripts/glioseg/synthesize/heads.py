"""Heads around the brains of phantoms: skull, scalp, eyes, muscles, neck and air, with a random contrast.

Networks for skull stripping learn from such heads (SynthStrip, Hoopes et al. 2022,
doi:10.1016/j.neuroimage.2022.119474). The brain itself is the truth.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from glioseg.synthesize.smooth_fields import coarse_shape, smooth_noise, upsample

# Tissues by their index in the map of a head. Brain is what the phantom shows.
TISSUES = ("air", "brain", "fluid", "skull", "marrow", "muscle", "scalp", "eye", "lens", "fat")
# Voxels (mm) that a head needs around the grid of a phantom, before and behind along each axis.
AROUND = ((0, 0), (14, 14), (70, 28))
COARSE_MM = 2
# Thickness (mm) of the layers around the brain, from the inside.
_THICKNESS = {"fluid": (1.0, 3.5), "skull": (4.0, 8.0), "scalp": (4.0, 9.0)}
# Signal of each tissue, as a share of the bright part of the brain, for a T1 image. The other modalities draw theirs.
_T1 = {"fluid": 0.3, "skull": 0.07, "marrow": 0.8, "muscle": 0.5, "scalp": 0.9, "eye": 0.3, "lens": 0.6, "fat": 1.4}
# Air in the head: its middle (mm) from the center, the front and the base of the brain, and its radii (mm).
_AIR = (
    ((0, 2, -12), (13, 14, 16)),
    ((-24, 14, -22), (12, 13, 15)),
    ((24, 14, -22), (12, 13, 15)),
    ((0, 60, -38), (9, 8, 45)),
)


def head_of(random: np.random.Generator, brain: np.ndarray) -> np.ndarray:
    """Tissues (uint8, indices of `TISSUES`) of a head around a brain (bool, 1 mm, in LPS order), padded by `AROUND`.

    The thickness of skull and scalp differs between heads and along their surface.
    """
    whole = np.pad(brain, AROUND)
    outside = _outside_mm(whole)
    layers = {name: np.float32(random.uniform(*span)) for name, span in _THICKNESS.items()}
    outside += np.float32(0.25) * layers["skull"] * smooth_noise(random, whole.shape, 40)
    axes = np.ix_(*(np.arange(length, dtype=np.float32) for length in whole.shape))
    places = np.argwhere(whole[::4, ::4, ::4]) * 4
    center, front, base = places.mean(0)[0], places.min(0)[1], places.min(0)[2]

    def ball(middle: Sequence[float], radii: Sequence[float]) -> np.ndarray:
        """Distance from a middle, relative to the radii (mm); the middle is given from center, front and base."""
        where = (center + middle[0], front + middle[1], base + middle[2])
        return sum(((axis - at) / radius) ** 2 for axis, at, radius in zip(axes, where, radii, strict=True))

    bone = layers["fluid"] + layers["skull"]
    # The face lies in front, and the neck behind and below; both are muscles under skin.
    soft = np.minimum(ball((0, 50, -12), (64, 62, 74)), ball((0, 100, -70), (56, 60, 120)))
    found = np.zeros(whole.shape, np.uint8)

    def fill(name: str, where: np.ndarray) -> None:
        found[where] = TISSUES.index(name)

    fill("scalp", (outside < bone + layers["scalp"]) | (soft < 1))
    fill("muscle", soft < 0.86)
    fill("skull", outside < bone)
    fill("marrow", np.abs(outside - layers["fluid"] - layers["skull"] / 2) < layers["skull"] / 6)
    beyond = outside >= bone
    for side in (-1, 1):
        eye = (side * random.uniform(30, 34), 8, random.uniform(10, 16))
        fill("fat", (ball((eye[0], eye[1] + 14, eye[2]), (19, 26, 19)) < 1) & beyond)
        fill("eye", (ball(eye, (12, 12, 12)) < 1) & beyond)
        fill("lens", (ball((eye[0], eye[1] - 8, eye[2]), (5, 3, 5)) < 1) & beyond)
    for middle, radii in _AIR:
        fill("air", (ball(middle, radii) < 1) & beyond)
    fill("fluid", outside < layers["fluid"])
    found[whole] = TISSUES.index("brain")
    return found


def paint_head(
    random: np.random.Generator, tissues: np.ndarray, image: np.ndarray, modality: str | None = None
) -> np.ndarray:
    """An image (int16, 0 to 32767, on the grid of the tissues) of a head around a skull-stripped image of a phantom.

    The contrast around the brain is drawn at random: about that of T1 for "t1" and "t1ce", and any for others. Edges
    are blurred, and noise and a bias field lie on the whole head.
    """
    whole = np.pad(image, AROUND).astype(np.float32)
    brain = tissues == TISSUES.index("brain")
    bright = np.float32(np.percentile(whole[brain], 90))
    table = np.zeros(len(TISSUES), np.float32)
    for number, name in enumerate(TISSUES[2:], 2):
        near = _T1[name] * random.uniform(0.7, 1.3)
        table[number] = near if modality in ("t1", "t1ce") else random.uniform(0.03, 1.5)
    if modality is not None:
        # Bone has no signal in any modality.
        table[TISSUES.index("skull")] = random.uniform(0.02, 0.12)
    around = table[tissues] * bright * (1 + np.float32(0.12) * smooth_noise(random, tissues.shape, 4))
    found = np.where(brain, whole, ndimage.gaussian_filter(around, 0.6))
    found *= np.exp(np.float32(0.12) * smooth_noise(random, tissues.shape, 70))
    noise = bright * np.float32(random.uniform(0.01, 0.04))
    real, imaginary = (random.standard_normal(tissues.shape, np.float32) * noise for _ in range(2))
    found = np.where(brain, found, np.sqrt((found + real) ** 2 + imaginary**2))
    return np.clip(np.rint(found), 0, 32767).astype(np.int16)


def _outside_mm(whole: np.ndarray) -> np.ndarray:
    """Distance (float32, mm) from the hull of a brain, in which the sulci are closed; negative inside."""
    step = (slice(None, None, COARSE_MM),) * 3
    closed = ndimage.binary_closing(np.pad(whole[step], 10), iterations=8)[10:-10, 10:-10, 10:-10]
    inside = ndimage.gaussian_filter(closed.astype(np.float32), 1.5) > 0.5
    distance = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    kept = coarse_shape(whole.shape, COARSE_MM)
    padded = np.pad(
        distance.astype(np.float32),
        [(0, more - had) for more, had in zip(kept, distance.shape, strict=True)],
        mode="edge",
    )
    return COARSE_MM * upsample(padded, COARSE_MM, whole.shape)
