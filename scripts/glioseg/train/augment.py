"""Augmentation of training patches: `draw_augmentation` draws the changes, `bent_patch` and `augment` apply them."""

import math
from dataclasses import dataclass

import numpy as np

from glioseg.train.fast.planes import planes_of, voxels
from glioseg.train.fast.soften import soften
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
    # Read only the box of the volume that holds every sampled point; the knots' weights sum to 1 in all but rounding.
    slack = 0 if drawn.bend is None else 1
    ends = [sum(end(step, 1) for step in steps) + end(bend, (1, 2, 3)) for end in (np.min, np.max)]
    low = np.maximum(np.floor(ends[0]) - slack, 0).astype(int)
    high = np.minimum(np.ceil(ends[1]) + 1 + slack, mask.shape).astype(int)
    if (low >= high).any():
        return np.zeros((*patch, image.shape[-1]), np.float32), np.zeros(patch, np.uint8)
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    steps[0] -= low.reshape(3, 1)
    places = [step.astype(np.float32) for step in steps]
    if drawn.bend is not None:
        bases = [_basis(size).astype(np.float32) for size in patch]
        places.append(np.einsum("dijk,xi,yj,zk->dxyz", bend.astype(np.float32), *bases, optimize=True))
    return read_values(image[box], mask[box], *places)


def augment(
    image: np.ndarray, mask: np.ndarray, drawn: Augmentation, into: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Apply the rest of a draw to a patch: image (X, Y, Z, C) of any float type and mask (X, Y, Z) uint8.

    Returns float32 and uint8 of the same shapes, which are `into` if it is given. Intensities change only inside the
    brain (non-zero voxels); gamma acts on each channel's range within the patch.
    """
    images, masks = into or (np.empty(image.shape, np.float32), np.empty(mask.shape, np.uint8))
    # A flip is a view of the result with negative strides.
    flipped = [axis for axis, flip in enumerate(drawn.flips) if flip]
    target, channels = np.flip(images, flipped), image.shape[-1]
    np.flip(masks, flipped)[...] = mask
    soft = _softened(image, drawn)
    gain, offset = drawn.gain, drawn.offset
    if drawn.gamma is not None:
        low, high = _ends(image, soft)
        span = np.maximum(high - low, 1e-6)
        gain, offset = span * gain, low * gain + offset
    noise = None if drawn.noise is None else np.random.SFC64(drawn.noise[1])
    # Rows of many voxels, because NumPy is several times slower along the short axis of channels.
    repeat = image.shape[-2]
    for planes, part, outside in planes_of(image, soft):
        rows = part.reshape(-1, repeat * channels)
        if drawn.gamma is not None:
            rows -= np.tile(low, repeat)
            rows /= np.tile(span, repeat)
            # rows ** gamma as exp(gamma * log(rows)), which is faster; 0 stays 0.
            with np.errstate(divide="ignore"):
                np.log(rows, out=rows)
            rows *= np.tile(drawn.gamma, repeat)
            np.exp(rows, out=rows)
        rows *= np.tile(gain, repeat)
        rows += np.tile(offset, repeat)
        if noise is not None:
            # The number of heads in 32 coin tosses (standard deviation sqrt(8)) is nearly normal and faster to draw.
            tosses = noise.random_raw((part.size + 1) // 2).view(np.uint32)[: part.size]
            heads = np.bitwise_count(tosses).astype(np.float32)
            heads -= 16
            heads *= np.float32(drawn.noise[0] / 8**0.5)
            part += heads.reshape(part.shape)
        voxels(part)[outside] = np.zeros((), voxels(part).dtype)
        if not drawn.kept.all():
            part[..., ~drawn.kept] = 0
        voxels(target[planes])[...] = voxels(part)
    return images, masks


def _softened(image: np.ndarray, drawn: Augmentation) -> dict[int, np.ndarray]:
    """The channels (X, Y, Z) float32 whose blur or lower resolution was drawn, by number."""
    channels = image.shape[-1]
    blur = np.zeros(channels) if drawn.blur is None else drawn.blur
    coarse = np.ones(channels) if drawn.coarse is None else drawn.coarse
    return {
        channel: soften(image[..., channel].astype(np.float32), *changes)
        for channel, changes in enumerate(zip(blur, coarse, strict=True))
        if changes != (0, 1)
    }


def _ends(image: np.ndarray, soft: dict[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest value of each channel (C,)."""
    found = [(part.min((0, 1)), part.max((0, 1))) for _, part, _ in planes_of(image, soft)]
    return np.min([low.min(0) for low, _ in found], 0), np.max([high.max(0) for _, high in found], 0)


def _basis(size: int) -> np.ndarray:
    """Smooth weights of the knots at each voxel along a side: (size, KNOTS); each row sums to 1."""
    places = np.linspace(0, KNOTS - 1, size)[:, None] - np.arange(KNOTS)
    weights = np.exp(-0.5 * (places / 0.6) ** 2)
    return weights / weights.sum(1, keepdims=True)
