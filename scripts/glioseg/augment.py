"""Random changes of a training patch: drawn first (`draw_augmentation`), applied second (`augment`)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """One draw: axes to flip, zoom; per channel gain, offset, gamma, whether it stays; deviation and seed of noise."""

    flips: tuple[bool, bool, bool]
    zoom: float
    gain: np.ndarray
    offset: np.ndarray
    gamma: np.ndarray | None
    noise: float
    noise_seed: int
    kept: np.ndarray


def draw_augmentation(random: np.random.Generator, channels: int, settings: dict) -> Augmentation:
    """Draw one augmentation for an image of that many channels.

    settings: flip (probability per axis), scale (largest relative zoom), intensity (largest relative gain, offset and
    log2 gamma), noise (largest deviation, in units of the normalized image), modality_dropout (chance of a channel to
    be zeros, as where that modality is missing; one always stays). Zoom, gamma and noise, which cost as much
    as reading the patch, come to one patch in three each; none comes where its setting is 0.
    """
    flips = tuple(bool(hit) for hit in random.random(3) < settings["flip"])
    zoomed, curved, noisy = random.random(3) < 1 / 3
    strength = settings["intensity"]
    zoom = float((1 + settings["scale"]) ** random.uniform(-1, 1))
    gain = 1 + random.uniform(-strength, strength, channels).astype(np.float32)
    offset = random.uniform(-strength, strength, channels).astype(np.float32)
    gamma = np.exp2(random.uniform(-strength, strength, channels)).astype(np.float32)
    noise = random.uniform(0, settings["noise"])
    noise_seed = int(random.integers(2**32))
    kept = random.random(channels) >= settings["modality_dropout"]
    kept[random.integers(channels)] |= not kept.any()
    return Augmentation(
        flips,
        zoom if zoomed else 1.0,
        gain,
        offset,
        gamma if curved and strength else None,
        noise if noisy else 0.0,
        noise_seed,
        kept,
    )


def augment(image: np.ndarray, mask: np.ndarray, drawn: Augmentation) -> tuple[np.ndarray, np.ndarray]:
    """Apply one draw to a patch: image (X, Y, Z, C) float32 and mask (X, Y, Z) uint8; both keep their shape.

    Geometry by linear interpolation along each axis (nearest for the mask). Intensities change inside the brain
    (non-zero voxels) only; gamma acts on the patch's own range of each channel.
    """
    for axis, flip in enumerate(drawn.flips):
        if flip:
            image, mask = np.flip(image, axis), np.flip(mask, axis)
        if drawn.zoom != 1:
            image, mask = _zoom_axis(image, mask, axis, drawn.zoom)
    # Modalities may differ in where they end: any of them makes a voxel brain.
    brain = (image != 0).any(-1, keepdims=True).astype(np.float32)
    if drawn.gamma is not None:
        low = image.min((0, 1, 2))
        span = np.maximum(image.max((0, 1, 2)) - low, 1e-6)
        image = ((image - low) / span) ** drawn.gamma * span + low
    image = image * drawn.gain + drawn.offset
    if drawn.noise:
        field = np.random.default_rng(drawn.noise_seed).standard_normal(image.shape, np.float32)
        image += np.float32(drawn.noise) * field
    image *= brain * drawn.kept
    return image, np.ascontiguousarray(mask)


def _zoom_axis(image, mask, axis, zoom):
    size = image.shape[axis]
    position = np.clip((np.arange(size) - (size - 1) / 2) / zoom + (size - 1) / 2, 0, size - 1)
    low = np.minimum(position.astype(int), size - 2)
    weight = (position - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(4)])
    image = image.take(low, axis) * (1 - weight) + image.take(low + 1, axis) * weight
    return image, mask.take(np.rint(position).astype(int), axis)
