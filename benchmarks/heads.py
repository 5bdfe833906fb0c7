"""Heads of phantoms, and how a scanner acquires each modality of them."""

import numpy as np

from glioseg.synthesize.heads import AROUND, head_of, paint_head
from glioseg.synthesize.phantoms import AFFINE, phantom
from glioseg.synthesize.series import Acquisition

REFERENCE = "t1ce"
# The other modalities: axes and slices (mm).
SERIES = {"flair": Acquisition("RAS", 5), "t1": Acquisition("PIR", 1), "t2": Acquisition("LPS", 3)}


def head_images(number: int, seed: int, head: bool) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Images of a phantom by modality, its brain (bool), the affine of both, and its mask (brats2020).

    With a head around it if wanted.
    """
    images, mask = phantom(f"phantom_{number:03d}", seed)
    brain = images[REFERENCE] > 0
    if not head:
        return images, brain, AFFINE, mask
    random = np.random.default_rng([seed, number])
    tissues = head_of(random, brain)
    affine = AFFINE.copy()
    affine[:3, 3] -= affine[:3, :3] @ [before for before, _ in AROUND]
    painted = {name: paint_head(random, tissues, image, name) for name, image in images.items()}
    return painted, np.pad(brain, AROUND), affine, np.pad(mask, AROUND)
