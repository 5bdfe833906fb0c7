"""The brain in whole heads, found by the network that learned from heads of phantoms (`train_strip`)."""

from collections.abc import Iterable

import numpy as np

from glioseg.predict.runtime import Network, load_networks
from glioseg.synthesize.head_worlds import VOXEL_MM, normalized
from glioseg.volumes.brain import largest_part
from glioseg.workflow.home import brain_model


def brain_by_network(images: Iterable[np.ndarray]) -> np.ndarray:
    """The brain (bool) in the images of a subject on one grid of 1 mm in LPS order (float32).

    The probabilities of all images are averaged, so that one poor series decides nothing. The brain is the largest
    connected part above 0.5, with its holes filled. Raises ValueError if there is no model, or no brain.
    """
    (network,) = load_networks([brain_model()], "openvino", 1)
    shares = [_probability(network, image) for image in images]
    found = np.mean(shares, axis=0) > 0.5
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
    # The middle of a block of voxels is one voxel after its first.
    places = [np.arange(size, dtype=np.float32) / VOXEL_MM - (VOXEL_MM - 1) / (2 * VOXEL_MM) for size in image.shape]
    for axis, place in enumerate(places):
        share = _between(share, axis, np.clip(place, 0, blocks[axis] - 1))
    return share


def _between(values: np.ndarray, axis: int, places: np.ndarray) -> np.ndarray:
    """Values at places along an axis, interpolated linearly."""
    low = np.minimum(places.astype(int), max(values.shape[axis] - 2, 0))
    weight = (places - low).reshape([-1 if other == axis else 1 for other in range(3)])
    high = np.minimum(low + 1, values.shape[axis] - 1)
    return values.take(low, axis) * (1 - weight) + values.take(high, axis) * weight
