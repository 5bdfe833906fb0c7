"""The brain in whole heads, found by the network that learned from heads of phantoms (`train_strip`)."""

from collections.abc import Iterable

import numpy as np

from glioseg.predict.runtime import Network, load_networks
from glioseg.synthesize.head_worlds import VOXEL_MM, normalized
from glioseg.volumes.brain import largest_part
from glioseg.volumes.resample import resample
from glioseg.workflow.home import brain_model

# Of phantoms, the voxels above 0.5 are 2 % more than the brain.
CUT = 0.55


def brain_by_network(images: Iterable[np.ndarray]) -> np.ndarray:
    """The brain (bool) in the images of a subject on one grid of 1 mm in LPS order (float32).

    The probabilities of all images, and of each as in a mirror, are averaged, so that one poor series decides nothing.
    The brain is the largest connected part above `CUT`, with its holes filled. Raises ValueError if there is no model,
    or no brain.
    """
    (network,) = load_networks([brain_model()], "openvino", 1)
    total, count = np.float32(0), 0
    for image in images:
        total = total + _probability(network, image) + _probability(network, image[::-1])[::-1]
        count += 2
    found = total > CUT * count
    if not found.any():
        raise ValueError("register: strip: the network found no brain; give the folder of your masks of the brain")
    return largest_part(found)


def _probability(network: Network, image: np.ndarray) -> np.ndarray:
    """The probability of brain (float32) at each voxel of an image of 1 mm."""
    # The field of view of the network: in the middle of the image, but at its top, where the brain is.
    blocks = [-(-size // VOXEL_MM) for size in image.shape]
    filled = np.pad(image, [(0, block * VOXEL_MM - size) for block, size in zip(blocks, image.shape, strict=True)])
    coarse = filled.reshape([length for block in blocks for length in (block, VOXEL_MM)]).mean((1, 3, 5))
    window, inside = [], []
    for axis, (block, length) in enumerate(zip(blocks, network.patch, strict=True)):
        kept = min(block, length)
        first = block - kept if axis == 2 else (block - kept) // 2
        start = (length - kept) // 2
        window.append(slice(start, start + kept))
        inside.append(slice(first, first + kept))
    patch = np.zeros((1, *network.patch), np.float32)
    patch[0][tuple(window)] = normalized(coarse[tuple(inside)])
    (probabilities,) = network.predict([patch])
    share = np.zeros(blocks, np.float32)
    share[tuple(inside)] = probabilities[1][tuple(window)]
    # Both grids begin at the same face.
    whole = resample(share, (VOXEL_MM,) * 3, (1,) * 3, tuple(VOXEL_MM * block for block in blocks))
    return whole[tuple(map(slice, image.shape))]
