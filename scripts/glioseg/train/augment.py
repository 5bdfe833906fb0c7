"""Random changes of a training patch: drawn first (`draw_augmentation`), applied second (`bent_patch`, `augment`)."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioseg.train.settings import TrainSettings
from glioseg.volumes.orientation import rotation

# What costs as much as reading the patch comes to a part of the patches only, about as in nnU-Net.
GEOMETRY, CURVED, NOISY, BLURRED, COARSE = 1 / 3, 1 / 3, 1 / 3, 1 / 5, 1 / 5
# Points along each side of a patch that are displaced; what lies between them follows smoothly.
KNOTS = 5


@dataclass(frozen=True)
class Augmentation:
    """One draw, each part None where it doesn't come.

    flips: axes; matrix (3, 3): from the patch's offsets to the volume's; bend (3, KNOTS, KNOTS, KNOTS): displacements
    (voxels); per channel gain, offset, gamma, blur (deviation in voxels), coarse (factor of a lower resolution), kept;
    noise: deviation and seed.
    """

    flips: tuple[bool, bool, bool]
    matrix: np.ndarray | None
    bend: np.ndarray | None
    gain: np.ndarray
    offset: np.ndarray
    gamma: np.ndarray | None
    blur: np.ndarray | None
    coarse: np.ndarray | None
    noise: tuple[float, int] | None
    kept: np.ndarray


def draw_augmentation(random: np.random.Generator, channels: int, settings: TrainSettings) -> Augmentation:
    """Draw one augmentation for an image of that many channels.

    settings: flip (probability per axis), scale (largest relative zoom), rotation (largest angle about each axis,
    degrees), elastic (largest displacement, voxels), intensity (largest relative gain, offset and log2 gamma), blur
    (largest deviation, voxels), coarse (largest factor of a lower resolution), noise (largest deviation, in units of
    the normalized image), modality_dropout (chance of a channel to be zeros, as where that modality is missing; one
    always stays). None comes where its setting is 0.
    """
    flips = tuple(bool(hit) for hit in random.random(3) < settings["flip"])
    bent, curved, noisy, blurred, coarse = random.random(5) < (GEOMETRY, CURVED, NOISY, BLURRED, COARSE)
    strength = settings["intensity"]
    zoom = float((1 + settings["scale"]) ** random.uniform(-1, 1))
    angles = np.radians(settings["rotation"]) * random.uniform(-1, 1, 3)
    bend = settings["elastic"] * random.uniform(-1, 1, (3, KNOTS, KNOTS, KNOTS))
    gain = 1 + random.uniform(-strength, strength, channels).astype(np.float32)
    offset = random.uniform(-strength, strength, channels).astype(np.float32)
    gamma = np.exp2(random.uniform(-strength, strength, channels)).astype(np.float32)
    # Half of the channels, as scans differ in their own sharpness.
    blur = random.uniform(0, settings["blur"], channels) * (random.random(channels) < 0.5)
    factor = 1 + random.uniform(0, max(settings["coarse"] - 1, 0), channels) * (random.random(channels) < 0.5)
    noise, noise_seed = random.uniform(0, settings["noise"]), int(random.integers(2**32))
    kept = random.random(channels) >= settings["modality_dropout"]
    kept[random.integers(channels)] |= not kept.any()
    return Augmentation(
        flips,
        rotation(angles) / zoom if bent and (settings["scale"] or settings["rotation"]) else None,
        bend if bent and settings["elastic"] else None,
        gain,
        offset,
        gamma if curved and strength else None,
        blur if blurred and settings["blur"] else None,
        factor if coarse and settings["coarse"] > 1 else None,
        (noise, noise_seed) if noisy and settings["noise"] else None,
        kept,
    )


def bent_patch(
    image: np.ndarray, mask: np.ndarray, middle: np.ndarray, patch: tuple[int, int, int], drawn: Augmentation
) -> tuple[np.ndarray, np.ndarray]:
    """A patch around a point (voxels) of a volume, as the drawn matrix and bend have it; zeros outside of the volume.

    image (X, Y, Z, C) any float, mask (X, Y, Z) uint8 -> float32 (*patch, C) by linear interpolation, uint8 by nearest
    neighbour. Taken from the whole volume: a patch that is turned has no empty corners.
    """
    # Loaded where patches are bent, not where they are only cut: it loads TensorFlow.
    from glioseg.train.fast.interpolate import read_values

    matrix = np.eye(3) if drawn.matrix is None else drawn.matrix
    # Offsets along the three axes add up, so no array of (voxels, 3) is multiplied.
    steps = [
        np.multiply.outer(column, np.arange(size) - (size - 1) / 2)
        for column, size in zip(matrix.T, patch, strict=True)
    ]
    steps[0] += np.asarray(middle, float).reshape(3, 1)
    bend = np.zeros((3, 1, 1, 1)) if drawn.bend is None else drawn.bend
    # What is read of the volume is a box in which all places lie: knots' weights add up to 1.
    ends = [sum(end(step, 1) for step in steps) + end(bend, (1, 2, 3)) for end in (np.min, np.max)]
    low = np.maximum(np.floor(ends[0]), 0).astype(int)
    high = np.minimum(np.ceil(ends[1]) + 1, mask.shape).astype(int)
    if (low >= high).any():
        return np.zeros((*patch, image.shape[-1]), np.float32), np.zeros(patch, np.uint8)
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    steps[0] -= low.reshape(3, 1)
    places = [step.astype(np.float32) for step in steps]
    if drawn.bend is not None:
        bases = [_basis(size) for size in patch]
        places.append(np.einsum("dijk,xi,yj,zk->dxyz", bend, *bases, optimize=True).astype(np.float32))
    return read_values(image[box], mask[box], *places)


def augment(image: np.ndarray, mask: np.ndarray, drawn: Augmentation) -> tuple[np.ndarray, np.ndarray]:
    """Apply the rest of a draw to a patch: image (X, Y, Z, C) float32 and mask (X, Y, Z) uint8; both keep their shape.

    Intensities change inside the brain (non-zero voxels) only; gamma acts on the patch's own range of each channel.
    """
    outside = _outside(image != 0)
    if drawn.blur is not None or drawn.coarse is not None:
        image = np.stack([_soften(image[..., channel], drawn, channel) for channel in range(image.shape[-1])], -1)
    # As rows of many voxels, whose channels are alike: along an axis of four numbers NumPy is several times slower.
    shape, repeat = image.shape, image.shape[-2]
    rows = image.reshape(-1, repeat * shape[-1])
    gain, offset = drawn.gain, drawn.offset
    if drawn.gamma is not None:
        low, high = (end(end(rows, 0).reshape(repeat, -1), 0) for end in (np.min, np.max))
        span = np.maximum(high - low, 1e-6)
        rows = rows - np.tile(low, repeat)
        rows /= np.tile(span, repeat)
        # A power, faster; of 0 it is 0.
        with np.errstate(divide="ignore"):
            np.log(rows, out=rows)
        rows *= np.tile(drawn.gamma, repeat)
        np.exp(rows, out=rows)
        gain, offset = span * gain, low * gain + offset
    rows = rows * np.tile(gain, repeat)
    rows += np.tile(offset, repeat)
    image = rows.reshape(shape)
    if drawn.noise is not None:
        deviation, seed = drawn.noise
        # Heads among 32 tosses of a coin, whose deviation is the root of 8: as good as normal, and drawn faster.
        tosses = np.random.SFC64(seed).random_raw((image.size + 1) // 2).view(np.uint32)[: image.size]
        heads = np.bitwise_count(tosses).astype(np.float32)
        heads -= 16
        heads *= np.float32(deviation / 8**0.5)
        image += heads.reshape(shape)
    np.copyto(image, 0, where=outside)
    image[..., ~drawn.kept] = 0
    # At the end, for what is flipped lies backwards in memory.
    flipped = [axis for axis, flip in enumerate(drawn.flips) if flip]
    return np.flip(image, flipped), np.flip(mask, flipped)


def _outside(signal: np.ndarray) -> np.ndarray:
    """Whether a voxel has signal in no channel, for each of its channels (X, Y, Z, C)."""
    channels = signal.shape[-1]
    none = ~np.logical_or.reduce([signal[..., channel] for channel in range(channels)])
    return np.repeat(none, channels).reshape(signal.shape)


def _soften(volume: np.ndarray, drawn: Augmentation, channel: int) -> np.ndarray:
    """One channel (3-D float32), blurred, or seen at a lower resolution and brought back, where that was drawn."""
    if drawn.blur is not None and drawn.blur[channel]:
        volume = ndimage.gaussian_filter(volume, drawn.blur[channel], truncate=3)
    if drawn.coarse is not None:
        for axis, length in enumerate(volume.shape):
            volume = _coarsen(volume, axis, max(round(length / drawn.coarse[channel]), 2))
    return volume


def _coarsen(volume: np.ndarray, axis: int, size: int) -> np.ndarray:
    """A volume whose axis shows what so many samples, spread evenly, and straight lines between them tell of it."""
    length = volume.shape[axis]
    if size >= length:
        return volume
    seen = volume.take(np.linspace(0, length - 1, size).round().astype(int), axis)
    place = np.linspace(0, size - 1, length)
    low = np.minimum(place.astype(int), size - 2)
    weight = (place - low).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(volume.ndim)])
    return seen.take(low, axis) * (1 - weight) + seen.take(low + 1, axis) * weight


def _basis(size: int) -> np.ndarray:
    """Weights of the knots' displacements at each voxel along a side: (size, KNOTS), rows sum to 1, smooth."""
    places = np.linspace(0, KNOTS - 1, size)[:, None] - np.arange(KNOTS)
    weights = np.exp(-0.5 * (places / 0.6) ** 2)
    return weights / weights.sum(1, keepdims=True)
