"""From trained networks and a preprocessed image to class probabilities of every voxel."""

import itertools

import numpy as np

from glioseg.runtime import Network


def predict_probabilities(networks: list[Network], image: np.ndarray, classes: int, overlap: float) -> np.ndarray:
    """Mean softmax of the networks over a sliding window with Gaussian weights.

    image (X, Y, Z, C) -> float32 (X, Y, Z, classes). The window is the networks' patch; neighbors share at least the
    fraction `overlap` of it. An image smaller than the window is padded with zeros. Raises ValueError where a network
    was trained on another number of modalities or classes.
    """
    patch = networks[0].patch
    shape, channels = image.shape[:3], image.shape[3]
    if any(network.channels != channels for network in networks):
        raise ValueError(
            f"the model takes {networks[0].channels} modalities and the image has {channels}; train and predict with "
            "one list of modalities"
        )
    padding = [((max(p - n, 0)) // 2, max(p - n, 0) - max(p - n, 0) // 2) for p, n in zip(patch, shape, strict=True)]
    image = np.pad(np.asarray(image, np.float32), [*padding, (0, 0)])
    weight = gaussian_weight(patch)[..., None]
    weights = np.zeros((*image.shape[:3], 1), np.float32)
    total = np.zeros((*image.shape[:3], classes), np.float32)
    for corner in window_corners(image.shape[:3], patch, overlap):
        window = tuple(slice(start, start + size) for start, size in zip(corner, patch, strict=True))
        for network in networks:
            softmax = network.predict(image[window][None])[0]
            if softmax.shape[-1] != classes:
                raise ValueError(
                    f"the model tells {softmax.shape[-1]} classes apart, expected {classes}; train it anew"
                )
            total[window] += weight * softmax
        weights[window] += weight * len(networks)
    total /= weights
    return total[tuple(slice(low, low + n) for (low, _), n in zip(padding, shape, strict=True))]


def window_corners(shape, patch, overlap: float) -> list[tuple[int, int, int]]:
    """Lowest corners of evenly spread windows that cover an array at least as large as one window."""
    starts = []
    for length, size in zip(shape, patch, strict=True):
        count = int(np.ceil((length - size) / (size * (1 - overlap)))) + 1
        starts.append(np.linspace(0, length - size, count).round().astype(int).tolist())
    return list(itertools.product(*starts))


def gaussian_weight(patch) -> np.ndarray:
    """Weights of a window's voxels (float32, peak 1): a Gaussian of an eighth of its size, as in nnU-Net, never 0."""
    axes = [np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 8)) ** 2) for size in patch]
    weight = np.einsum("i,j,k->ijk", *axes)
    return np.maximum(weight / weight.max(), 1e-4).astype(np.float32)
