"""Predict the probabilities of every voxel of a preprocessed image with trained networks."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from glioseg.choices import choose
from glioseg.predict.decide import entropy
from glioseg.predict.runtime import Network
from glioseg.volumes.brain import background_value, brain_mask

# The axes of an array in LPS order: left-right, front-back, bottom-top.
AXES = ("x", "y", "z")


class Prediction(NamedTuple):
    """The mean of all predictions (X, Y, Z, K) float32 and, if requested, the mean of their entropies (X, Y, Z)."""

    probabilities: np.ndarray
    single_entropy: np.ndarray | None


def predict_probabilities(
    networks: Iterable[Network],
    image: np.ndarray,
    channels: Sequence[str],
    targets: str,
    overlap: float,
    flips: Sequence[str],
    entropies: bool,
) -> Prediction:
    """Return the networks' mean output over a sliding window with Gaussian weights and over flips of the image.

    image: (X, Y, Z, C); channels: names of the networks' K output channels; targets: their meaning (see `decide`);
    overlap: the least fraction of the window that neighboring windows share; flips: axes of `AXES`; entropies: whether
    to return the mean entropy too. The image is also predicted flipped along every combination of the flips. The window
    is the networks' patch. Windows cover the brain, and voxels outside all windows are background. An image smaller
    than the window is padded with zeros. Networks are used one after another, so that memory does not grow with their
    number. Raises ValueError if a network does not fit the image, the channels or the other networks.
    """
    sweep, passes = None, 0
    for network in networks:
        if sweep is None:
            sweep = _Sweep(image, network.patch, len(channels), overlap, targets if entropies else "")
        if (network.patch, network.channels) != (sweep.patch, image.shape[3]):
            raise ValueError(
                f"the model takes {network.channels} modalities in windows of {network.patch} voxels, expected "
                f"{image.shape[3]} (as in the image) and {sweep.patch} (as in the first model); train all models with "
                "the same modalities and patch"
            )
        for axes in _choices(flips):
            sweep.add(network, axes)
            passes += 1
    if sweep is None:
        raise ValueError("no model was given; give one or more")
    return sweep.mean(passes, targets)


class _Sweep:
    """Sums over windows. Arrays are (K, X, Y, Z), so that each window's rows are contiguous."""

    def __init__(self, image: np.ndarray, patch: tuple[int, int, int], channels: int, overlap: float, targets: str):
        shape = image.shape[:3]
        low = [max(size - length, 0) // 2 for size, length in zip(patch, shape, strict=True)]
        self.patch, self.targets = tuple(patch), targets
        self.inner = tuple(slice(start, start + length) for start, length in zip(low, shape, strict=True))
        whole = tuple(map(max, patch, shape))
        self.image = np.zeros((image.shape[3], *whole), np.float32)
        # Move the axis first: NumPy reads half precision several times faster from contiguous memory.
        self.image[:, *self.inner] = np.ascontiguousarray(np.moveaxis(image, -1, 0))
        brain = np.zeros(whole, bool)
        for channel in self.image[:, *self.inner]:
            brain[self.inner] |= brain_mask(channel, background_value(channel))
        self.corners = window_corners(brain, patch, overlap)
        self.weight = gaussian_weight(patch)
        self.weights = np.zeros(whole, np.float32)
        for window in map(self._window, self.corners):
            self.weights[window] += self.weight
        self.total = np.zeros((channels, *whole), np.float32)
        self.single = np.zeros(whole, np.float32) if targets else None

    def add(self, network: Network, axes: tuple[int, ...]) -> None:
        """Add a network's output for all windows, flipped along these axes (0 to 2) and then flipped back."""
        flipped = tuple(axis + 1 for axis in axes)
        patches = (np.flip(self.image[:, *self._window(corner)], flipped) for corner in self.corners)
        for corner, probabilities in zip(self.corners, network.predict(patches), strict=True):
            if len(probabilities) != len(self.total):
                raise ValueError(
                    f"the model has {len(probabilities)} output channels, expected {len(self.total)}; train it again"
                )
            window, turned = self._window(corner), np.flip(probabilities, flipped)
            self.total[:, *window] += self.weight * turned
            if self.single is not None:
                self.single[window] += self.weight * entropy(np.moveaxis(turned, 0, -1), self.targets)

    def mean(self, passes: int, targets: str) -> Prediction:
        """Return the means over all windows. passes: how often `add` was called."""
        reached = self.weights > 0
        weights = np.where(reached, self.weights, 1) * np.float32(passes)
        self.total /= weights
        if targets == "classes":
            self.total[0][~reached] = 1
        single = None if self.single is None else (self.single / weights)[self.inner]
        return Prediction(np.moveaxis(self.total[:, *self.inner], 0, -1), single)

    def _window(self, corner: tuple[int, int, int]) -> tuple[slice, slice, slice]:
        return tuple(slice(start, start + size) for start, size in zip(corner, self.patch, strict=True))


def window_corners(brain: np.ndarray, patch: Sequence[int], overlap: float) -> list[tuple[int, int, int]]:
    """Return the lowest corners of evenly spaced windows that cover a brain (bool, at least as large as one window).

    Slabs run from front to back, in each slab blocks from bottom to top, and in each block windows from left to right.
    Each covers only the extent of the brain in it, since a head is not a box. Without a brain, the windows cover the
    whole array.
    """
    brain = brain if brain.any() else ~brain
    corners = []
    for y in _starts(brain.any(axis=(0, 2)), patch[1], overlap):
        slab = brain[:, y : y + patch[1]].any(axis=1)
        for z in _starts(slab.any(axis=0), patch[2], overlap):
            for x in _starts(slab[:, z : z + patch[2]].any(axis=1), patch[0], overlap):
                corners.append((x, y, z))
    return corners


def gaussian_weight(patch: Sequence[int]) -> np.ndarray:
    """Return the weights of a window's voxels (float32, peak 1, never 0).

    They are a Gaussian with a standard deviation of an eighth of the window's size, as in nnU-Net.
    """
    axes = [np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 8)) ** 2) for size in patch]
    weight = np.einsum("i,j,k->ijk", *axes)
    return np.maximum(weight / weight.max(), 1e-4).astype(np.float32)


def _starts(line: np.ndarray, size: int, overlap: float) -> list[int]:
    """Return where windows of a size start so that they cover every True on a line (bool); [] if there is none."""
    hits = np.flatnonzero(line)
    if not hits.size:
        return []
    low, high = int(hits[0]), int(hits[-1]) + 1
    if high - low <= size:
        return [min(max((low + high - size) // 2, 0), len(line) - size)]
    count = int(np.ceil((high - low - size) / (size * (1 - overlap)))) + 1
    return np.linspace(low, high - size, count).round().astype(int).tolist()


def _choices(flips: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Yield all combinations of the axes as indices, the empty one first. Raises ValueError for an unknown axis."""
    for name in flips:
        choose("flips", name, AXES)
    places = sorted({AXES.index(name) for name in flips})
    for count in range(len(places) + 1):
        yield from itertools.combinations(places, count)
