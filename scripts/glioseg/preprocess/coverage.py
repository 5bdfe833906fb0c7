"""The check of the fields of view, which only warns: whether each modality shows all of the brain."""

from collections.abc import Mapping

import numpy as np

from glioseg.preprocess.appearance import LEAST, thin

# The share of the brain that a modality must lack in empty planes to be reported, and the share of a plane of the brain
# without signal that counts as empty. In eleven patients of BraTS 2013 and 2021, one T1 lacks 4 % in such planes, and
# the other files lack nothing.
LEAST_LACKING, EMPTY = 0.02, 0.9
# Outside of its field of view, a modality holds its background or, after resampling, another constant, the least value
# of nearly all. Within it, no value of these patients has more than 1.8 % of the voxels.
CONSTANT, BELOW = 0.02, 0.005


def partly_covered(
    volumes: Mapping[str, np.ndarray], backgrounds: Mapping[str, float | None], brain: np.ndarray
) -> str | None:
    """Report modalities that show nothing in the outer planes of the brain (bool), which others show.

    None if the brain is too small for a judgment.
    """
    inside = thin(brain)
    if inside.sum() < LEAST:
        return None
    shares = {name: _lacking(thin(volume), backgrounds[name], inside) for name, volume in volumes.items()}
    lacking = [f"{name} lacks {100 * share:.0f} % of it" for name, share in shares.items() if share]
    if not lacking:
        return None
    return (
        f"not every modality shows the whole brain: {', '.join(lacking)}, beyond the edge of its field of view; export "
        "it again if it was cut by mistake, or expect a worse segmentation there"
    )


def _lacking(volume: np.ndarray, background: float | None, inside: np.ndarray) -> float:
    """The share of the brain (inside: bool) without signal; 0 if too little of that are planes at an end of the brain.

    A brain has no signal in some voxels of fluid, too, but not in whole planes.
    """
    empty = np.zeros(inside.shape, bool) if background is None else inside & (volume == background)
    values, counts = np.unique(volume[inside & ~empty], return_counts=True)
    if values.size:
        most = int(np.argmax(counts))
        if counts[most] >= CONSTANT * inside.sum() and counts[:most].sum() <= BELOW * inside.sum():
            empty |= inside & (volume == values[most])
    lost = np.zeros(inside.shape, bool)
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        brain, gone = inside.sum(others), empty.sum(others)
        # A plane outside of the brain is empty, too.
        covered = np.flatnonzero(gone < EMPTY * np.maximum(brain, 1))
        covered = covered[brain[covered] > 0]
        first, last = (covered[0], covered[-1] + 1) if covered.size else (0, 0)
        planes = np.ones(inside.shape[axis], bool)
        planes[first:last] = False
        lost |= inside & planes.reshape([-1 if other == axis else 1 for other in range(3)])
    return float(empty.mean() / inside.mean()) if (lost & empty).sum() >= LEAST_LACKING * inside.sum() else 0.0
