"""Augmentation of training patches: `draw_augmentation` draws the changes, `bent_patch` and `augment` apply them."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioseg.train.settings import TrainSettings
from glioseg.volumes.orientation import rotation

# Share of patches that get each costly change, close to nnU-Net's.
GEOMETRY, CURVED, NOISY, BLURRED, COARSE = 1 / 3, 1 / 3, 1 / 3, 1 / 5, 1 / 5
# Control points along each side of a patch; the displacement between them is smooth.
KNOTS = 5


@dataclass(frozen=True)
class Augmentation:
    """One draw; a change that is not applied is None.

    flips: per axis; matrix (3, 3): from offsets in the patch to offsets in the volume; bend (3, KNOTS, KNOTS, KNOTS):
    displacements (voxels); per channel gain, offset, gamma, blur (standard deviation, voxels), coarse (factor of a
    lower resolution) and kept (False: set to zero); noise: standard deviation and seed.
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
    """Draw one augmentation for an image with this number of channels.

    settings: flip (probability per axis), scale (largest relative zoom, or smallest and largest factor), rotation
    (largest angle about each axis, degrees), elastic (largest displacement, voxels), gain (largest relative change),
    brightness (largest offset, in units of the normalized image), gamma (largest exponent of 2, or smallest and largest
    gamma), blur (largest standard deviation, voxels), coarse (largest factor of a lower resolution), noise (largest
    standard deviation, in units of the normalized image), modality_dropout (probability that a channel is set to zero,
    like a missing modality; one channel is always kept). A setting of 0 turns its change off.
    """
    flips = tuple(bool(hit) for hit in random.random(3) < settings["flip"])
    bent, curved, noisy, blurred, coarse = random.random(5) < (GEOMETRY, CURVED, NOISY, BLURRED, COARSE)
    zoom = _zoom(settings["scale"], random.uniform(-1, 1))
    angles = np.radians(settings["rotation"]) * random.uniform(-1, 1, 3)
    bend = settings["elastic"] * random.uniform(-1, 1, (3, KNOTS, KNOTS, KNOTS))
    gain = 1 + random.uniform(-settings["gain"], settings["gain"], channels).astype(np.float32)
    offset = random.uniform(-settings["brightness"], settings["brightness"], channels).astype(np.float32)
    gamma = np.exp2(random.uniform(*_exponents(settings["gamma"]), channels)).astype(np.float32)
    # About half of the channels, because the scans of one subject differ in sharpness.
    blur = random.uniform(0, settings["blur"], channels) * (random.random(channels) < 0.5)
    factor = 1 + random.uniform(0, max(settings["coarse"] - 1, 0), channels) * (random.random(channels) < 0.5)
    noise, noise_seed = random.uniform(0, settings["noise"]), int(random.integers(2**32))
    kept = random.random(channels) >= settings["modality_dropout"]
    kept[random.integers(channels)] |= not kept.any()
    return Augmentation(
        flips,
        rotation(angles) / zoom if bent and (any(settings["scale"]) or settings["rotation"]) else None,
        bend if bent and settings["elastic"] else None,
        gain,
        offset,
        gamma if curved and any(settings["gamma"]) else None,
        blur if blurred and settings["blur"] else None,
        factor if coarse and settings["coarse"] > 1 else None,
        (noise, noise_seed) if noisy and settings["noise"] else None,
        kept,
    )


def _zoom(scale: tuple[float, ...], place: float) -> float:
    """The factor at a place from -1, the smallest, over 0, which is 1, to 1, the largest."""
    factors = (1 / scale[0], scale[1]) if len(scale) == 2 else (1 + scale[0],) * 2
    return float(factors[place > 0] ** place)


def _exponents(gamma: tuple[float, ...]) -> tuple[float, float]:
    """The smallest and the largest exponent of 2 of a range of gamma."""
    return (math.log2(gamma[0]), math.log2(gamma[1])) if len(gamma) == 2 else (-gamma[0], gamma[0])


def bent_patch(
    image: np.ndarray, mask: np.ndarray, middle: np.ndarray, patch: tuple[int, int, int], drawn: Augmentation
) -> tuple[np.ndarray, np.ndarray]:
    """Sample a patch around a point (voxels) of a volume with the drawn matrix and bend; it is zero outside the volume.

    image (X, Y, Z, C) of any float type, mask (X, Y, Z) uint8 -> float32 (*patch, C) by linear interpolation, uint8
    (*patch) by nearest neighbor. The whole volume is sampled, so a rotated patch has no empty corners.
    """
    # Imported here because it loads TensorFlow, which patches without a matrix or bend do not need.
    from glioseg.train.fast.interpolate import read_values

    matrix = np.eye(3) if drawn.matrix is None else drawn.matrix
    # An offset is the sum of one term per axis, so no array of shape (voxels, 3) has to be multiplied.
    steps = [
        np.multiply.outer(column, np.arange(size) - (size - 1) / 2)
        for column, size in zip(matrix.T, patch, strict=True)
    ]
    steps[0] += np.asarray(middle, float).reshape(3, 1)
    bend = np.zeros((3, 1, 1, 1)) if drawn.bend is None else drawn.bend
    # Read only the box of the volume that holds every sampled point; the knots' weights sum to 1.
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

    Intensities change only inside the brain (non-zero voxels); gamma acts on each channel's range within the patch.
    """
    outside = _outside(image != 0)
    if drawn.blur is not None or drawn.coarse is not None:
        image = np.stack([_soften(image[..., channel], drawn, channel) for channel in range(image.shape[-1])], -1)
    # Rows of many voxels, because NumPy is several times slower along the short axis of channels.
    shape, repeat = image.shape, image.shape[-2]
    rows = image.reshape(-1, repeat * shape[-1])
    gain, offset = drawn.gain, drawn.offset
    if drawn.gamma is not None:
        low, high = (end(end(rows, 0).reshape(repeat, -1), 0) for end in (np.min, np.max))
        span = np.maximum(high - low, 1e-6)
        rows = rows - np.tile(low, repeat)
        rows /= np.tile(span, repeat)
        # rows ** gamma as exp(gamma * log(rows)), which is faster; 0 stays 0.
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
        # The number of heads in 32 coin tosses (standard deviation sqrt(8)) is nearly normal and faster to draw.
        tosses = np.random.SFC64(seed).random_raw((image.size + 1) // 2).view(np.uint32)[: image.size]
        heads = np.bitwise_count(tosses).astype(np.float32)
        heads -= 16
        heads *= np.float32(deviation / 8**0.5)
        image += heads.reshape(shape)
    np.copyto(image, 0, where=outside)
    image[..., ~drawn.kept] = 0
    # Flip last: a flipped view has negative strides.
    flipped = [axis for axis, flip in enumerate(drawn.flips) if flip]
    return np.flip(image, flipped), np.flip(mask, flipped)


def _outside(signal: np.ndarray) -> np.ndarray:
    """Whether a voxel is zero in all channels, repeated for each channel (X, Y, Z, C)."""
    channels = signal.shape[-1]
    none = ~np.logical_or.reduce([signal[..., channel] for channel in range(channels)])
    return np.repeat(none, channels).reshape(signal.shape)


def _soften(volume: np.ndarray, drawn: Augmentation, channel: int) -> np.ndarray:
    """Blur one channel (3-D float32) and lower its resolution, if that was drawn; the shape is unchanged."""
    if drawn.blur is not None and drawn.blur[channel]:
        volume = ndimage.gaussian_filter(volume, drawn.blur[channel], truncate=3)
    if drawn.coarse is not None:
        for axis, length in enumerate(volume.shape):
            volume = _coarsen(volume, axis, max(round(length / drawn.coarse[channel]), 2))
    return volume


def _coarsen(volume: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Keep `size` evenly spaced samples of one axis and interpolate linearly between them; the shape is unchanged."""
    length = volume.shape[axis]
    if size >= length:
        return volume
    seen = volume.take(np.linspace(0, length - 1, size).round().astype(int), axis)
    place = np.linspace(0, size - 1, length)
    low = np.minimum(place.astype(int), size - 2)
    weight = (place - low).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(volume.ndim)])
    return seen.take(low, axis) * (1 - weight) + seen.take(low + 1, axis) * weight


def _basis(size: int) -> np.ndarray:
    """Smooth weights of the knots at each voxel along a side: (size, KNOTS); each row sums to 1."""
    places = np.linspace(0, KNOTS - 1, size)[:, None] - np.arange(KNOTS)
    weights = np.exp(-0.5 * (places / 0.6) ** 2)
    return weights / weights.sum(1, keepdims=True)
