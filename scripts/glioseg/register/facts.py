"""The content of register.json: where each series lay, how it was moved, and what is doubtful about it."""

from typing import NamedTuple

import nibabel as nib
import numpy as np

from glioseg.register.rigid import Alignment
from glioseg.scan_facts import Forms
from glioseg.volumes.orientation import spacing_mm

# A patient who is scanned in one position turns the head by less than this, and two series of one head share more
# information than this.
MOST_DEGREES, LEAST_NATS = 35, 0.1
# A brain with the fluid around it has this size (ml), from a child of a year to a large head.
SMALLEST_BRAIN_ML, LARGEST_BRAIN_ML = 800, 2000
CONVENTION = (
    "matrix (4x4) takes points of the common space to points of the series; both in mm, with axes to the right, front "
    "and up, as in NIfTI"
)


class Series(NamedTuple):
    """An image or a mask as it came: voxels (3-D, as stored), affine (4x4, mm), and the forms of its header."""

    voxels: np.ndarray
    affine: np.ndarray
    forms: Forms


def series_facts(one: Series, matrix: np.ndarray) -> dict:
    """The grid of a series as it came, and its matrix (4x4, mm), as `CONVENTION` says."""
    return {
        "shape": list(one.voxels.shape),
        "affine": one.affine.tolist(),
        "orientation": "".join(nib.aff2axcodes(one.affine)),
        "spacing_mm": list(spacing_mm(one.affine)),
        "forms": one.forms,
        "matrix": matrix.tolist(),
    }


def odd_brain(brain_ml: float) -> list[str]:
    """A sentence on a brain of an unlikely size (ml)."""
    if SMALLEST_BRAIN_ML <= brain_ml <= LARGEST_BRAIN_ML:
        return []
    return [
        f"the brain that was cut out has {brain_ml:.0f} ml; expected {SMALLEST_BRAIN_ML} to {LARGEST_BRAIN_ML}: look "
        "at it, and give your own mask (register: strip) if it is wrong"
    ]


def doubts(name: str, reference: str, found: Alignment) -> list[str]:
    """Sentences on a registration that looks wrong."""
    sentences = []
    turned = np.degrees(np.arccos(np.clip((np.trace(found.matrix[:3, :3]) - 1) / 2, -1, 1)))
    if turned > MOST_DEGREES:
        sentences.append(f"{name} was turned by {turned:.0f} degrees to lie on {reference}; compare them in a viewer")
    if found.nats_after < LEAST_NATS:
        sentences.append(
            f"{name} and {reference} share little information ({found.nats_after:.2f} nats; expected at least "
            f"{LEAST_NATS:g}); check that both show the same patient"
        )
    return sentences
