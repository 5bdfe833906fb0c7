"""From trained networks and a preprocessed image to probabilities of every voxel."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from glioseg.choices import choose
from glioseg.predict.decide import entropy
from glioseg.predict.runtime import Network
from glioseg.volumes.brain import background_value, brain_mask

# Left-right, front-back, bottom-top: the axes of an array in LPS order.
AXES = ("x", "y", "z")


class Prediction(NamedTuple):
    """The mean of all predictions (X, Y, Z, K) float32, and the mean of their entropies (X, Y, Z) where asked for."""

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
    """Mean output of the networks over a sliding window with Gaussian weights, and over flips of the image.

    image (X, Y, Z, C); channels names the networks' K, targets says what they are (see `decisions`). The window is the
    networks' patch; neighbors share at least the fraction `overlap` of it. Windows cover the brain; what none of them
    reaches is background. An image smaller than the window is padded with zeros. flips: axes of `AXES`; the image is
    predicted flipped along each choice of them, too. Networks are taken one after the other, so that memory does not
    grow with their number. Raises ValueError where a network doesn't fit the image, the channels or the others.
    """
    sweep, passes = None, 0
    for network in networks:
        if sweep is None:
            sweep = _Sweep(image, network.patch, len(channels), overlap, targets if entropies else "")
        if (network.patch, network.channels) != (sweep.patch, image.shape[3]):
            raise ValueError(
                f"the model takes {network.channels} modalities in windows of {network.patch} voxels; expected "
                f"{image.shape[3]} (the image's) and {sweep.patch} (the first model's); train all with one list of "
                "modalities and one patch"
            )
        for axes in _choices(flips):
            sweep.add(network, axes)
            passes += 1
    if sweep is None:
        raise ValueError("no model was given; give one or more")
    return sweep.mean(passes, targets)


class _Sweep:
    """Sums over windows: arrays run (K, X, Y, Z), so that each window's rows are contiguous."""

    def __init__(self, image: np.ndarray, patch: tuple[int, int, int], channels: int, overlap: float, targets: str):
        shape = image.shape[:3]
        low = [max(size - length, 0) // 2 for size, length in zip(patch, shape, strict=True)]
        self.patch, self.targets = tuple(patch), targets
        self.inner = tuple(slice(start, start + length) for start, length in zip(low, shape, strict=True))
        whole = tuple(map(max, patch, shape))
        self.image = np.zeros((image.shape[3], *whole), np.float32)
        # Moved first: NumPy reads half precision several times faster where it lies in a row.
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
        """Add what a network makes of all windows, each flipped along these axes (0 to 2) and its output back."""
        flipped = tuple(axis + 1 for axis in axes)
        patches = (np.flip(self.image[:, *self._window(corner)], flipped) for corner in self.corners)
        for corner, probabilities in zip(self.corners, network.predict(patches), strict=True):
            if len(probabilities) != len(self.total):
                raise ValueError(
                    f"the model tells {len(probabilities)} classes apart, expected {len(self.total)}; train it anew"
                )
            window, turned = self._window(corner), np.flip(probabilities, flipped)
            self.total[:, *window] += self.weight * turned
            if self.single is not None:
                self.single[window] += self.weight * entropy(np.moveaxis(turned, 0, -1), self.targets)

    def mean(self, passes: int, targets: str) -> Prediction:
        """The means of so many passes over all windows."""
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
    """Lowest corners of evenly spread windows that cover a brain (bool, at least as large as one window).

    Slabs from front to back first, then in each of them blocks from bottom to top, then windows from left to right,
    each as far as the brain goes there: a head is no box. No brain: the whole array is covered.
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
    """Weights of a window's voxels (float32, peak 1): a Gaussian of an eighth of its size, as in nnU-Net, never 0."""
    axes = [np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 8)) ** 2) for size in patch]
    weight = np.einsum("i,j,k->ijk", *axes)
    return np.maximum(weight / weight.max(), 1e-4).astype(np.float32)


def _starts(line: np.ndarray, size: int, overlap: float) -> list[int]:
    """Where windows of a size start that cover all that is True on a line (bool); [] where nothing is."""
    hits = np.flatnonzero(line)
    if not hits.size:
        return []
    low, high = int(hits[0]), int(hits[-1]) + 1
    if high - low <= size:
        return [min(max((low + high - size) // 2, 0), len(line) - size)]
    count = int(np.ceil((high - low - size) / (size * (1 - overlap)))) + 1
    return np.linspace(low, high - size, count).round().astype(int).tolist()


def _choices(flips: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """All choices of the axes, by number, none first. Raises ValueError for an unknown axis."""
    for name in flips:
        choose("flips", name, AXES)
    places = sorted({AXES.index(name) for name in flips})
    for count in range(len(places) + 1):
        yield from itertools.combinations(places, count)
