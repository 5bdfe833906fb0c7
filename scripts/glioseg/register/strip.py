"""The brain in whole heads, found by the network that learned from heads of phantoms (`train_strip`)."""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from glioseg.predict.runtime import Network, load_networks
from glioseg.synthesize.head_worlds import VOXEL_MM, normalized
from glioseg.volumes.brain import largest_part
from glioseg.volumes.resample import resample
from glioseg.workflow.home import brain_model

CUT = 0.5
# Tissue that no ball of this radius (mm) inside of the brain reaches is none of it, such as the muscles of an eye.
BALL_MM = 12


def brain_by_network(images: Iterable[np.ndarray]) -> np.ndarray:
    """The brain (bool) in the images of a subject on one grid of 1 mm in LPS order (float32).

    The probabilities of each image, and of the image in a mirror, are averaged. Brain is what more than half of the
    images show with a probability above `CUT`, so that one poor series decides nothing: on T2, fluid around the brain
    is easily taken for it. Only the largest connected part stays, with its holes filled, and without what only thin
    parts join to it. Raises ValueError if there is no model, or no brain.
    """
    (network,) = load_networks([brain_model()], "openvino", 1)
    shares, shape = [], ()
    for image in images:
        coarse, shape = _coarse(image), image.shape
        shares.append((_probability(network, coarse) + _probability(network, coarse[::-1])[::-1]) / np.float32(2))
    # More than half of the probabilities are at least this one.
    share = _without_outgrowths(np.sort(shares, axis=0)[(len(shares) - 1) // 2])
    # Both grids begin at the same face.
    finer = tuple(VOXEL_MM * length for length in share.shape)
    found = resample(share, (VOXEL_MM,) * 3, (1,) * 3, finer)[tuple(map(slice, shape))] > CUT
    if not found.any():
        raise ValueError("register: strip: the network found no brain; give the folder of your masks of the brain")
    return largest_part(found)


def _coarse(image: np.ndarray) -> np.ndarray:
    """An image of 1 mm in voxels of `VOXEL_MM`."""
    blocks = [-(-size // VOXEL_MM) for size in image.shape]
    filled = np.pad(image, [(0, block * VOXEL_MM - size) for block, size in zip(blocks, image.shape, strict=True)])
    return filled.reshape([length for block in blocks for length in (block, VOXEL_MM)]).mean((1, 3, 5))


def _probability(network: Network, coarse: np.ndarray) -> np.ndarray:
    """The probability of brain (float32) at each voxel of an image with voxels of `VOXEL_MM`."""
    # The field of view of the network: in the middle of the image, but at its top, where the brain is.
    window, inside = [], []
    for axis, (block, length) in enumerate(zip(coarse.shape, network.patch, strict=True)):
        kept = min(block, length)
        first = block - kept if axis == 2 else (block - kept) // 2
        start = (length - kept) // 2
        window.append(slice(start, start + kept))
        inside.append(slice(first, first + kept))
    patch = np.zeros((1, *network.patch), np.float32)
    patch[0][tuple(window)] = normalized(coarse[tuple(inside)])
    (probabilities,) = network.predict([patch])
    share = np.zeros(coarse.shape, np.float32)
    share[tuple(inside)] = probabilities[1][tuple(window)]
    return share


def _without_outgrowths(share: np.ndarray) -> np.ndarray:
    """Probabilities of brain, 0 where no ball of `BALL_MM` reaches that lies inside of the brain (an opening)."""
    radius = BALL_MM / VOXEL_MM
    # A brain that is cut off at the end of the image goes on there.
    inside = np.pad(share > CUT, 1, mode="edge")
    centers = ndimage.distance_transform_edt(inside)[1:-1, 1:-1, 1:-1] > radius
    if not centers.any():
        return share
    # Half a voxel further, the outline lies between voxels.
    near = ndimage.distance_transform_edt(~largest_part(centers)) <= radius + 1
    return np.where(near, share, np.float32(0))
