"""Training patches of whole heads whose contrast is drawn for each patch, to learn where the brain is."""

import zlib
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glioseg.synthesize import heads
from glioseg.synthesize.anatomy import BOX
from glioseg.synthesize.contrast import TISSUES, draw_contrast
from glioseg.synthesize.phantoms import MODALITIES, phantom_and_tissues
from glioseg.synthesize.smooth_fields import smooth_noise

VOXEL_MM = 3
# Space (voxels) around a head, in which patches are moved.
MARGIN = 10
# Tissues around the brain, in the channels behind those of the brain itself.
AROUND = heads.TISSUES[2:]


@dataclass(frozen=True)
class HeadWorld:
    """Fractions of tissues in a head (X, Y, Z, tissues, uint8, voxels of `VOXEL_MM`): those of the brain, and `AROUND`.

    enhancing: whether its tumor enhances.
    """

    maps: np.ndarray
    enhancing: bool

    def painted(self, random: np.random.Generator, maps: np.ndarray) -> np.ndarray:
        """An image (X, Y, Z, 1) float32, as `normalized`, of a patch of the maps (float32, 0 to 255)."""
        maps = maps * np.float32(1 / 255)
        signals = _signals(random, self.enhancing)
        volume = maps @ signals
        volume *= 1 + np.float32(random.uniform(0, 0.15)) * smooth_noise(random, volume.shape, 3)
        volume *= np.exp(np.float32(random.uniform(0, 0.3)) * smooth_noise(random, volume.shape, 24))
        if random.random() < 0.4:
            # Thick slices, mostly axial.
            widths = np.zeros(3)
            widths[random.choice(3, p=[0.15, 0.15, 0.7])] = random.uniform(0.3, 0.8)
            volume = ndimage.gaussian_filter(volume, widths)
        noise = random.uniform(0, 0.06)
        volume = np.abs(volume + np.float32(noise) * random.standard_normal(volume.shape, np.float32))
        if random.random() < 0.5:
            volume[:, :, : _lowest_slice(random, maps)] = 0
        return normalized(volume.astype(np.float32) ** np.float32(np.exp(random.uniform(-0.3, 0.3))))[..., None]


def normalized(volume: np.ndarray) -> np.ndarray:
    """A volume (float32) with its 99.5th percentile of all brighter than a tenth of its maximum at 1, at most 2."""
    bright = volume[volume > 0.1 * np.percentile(volume, 99.9)]
    return np.clip(volume / (np.percentile(bright, 99.5) if bright.size else 1), 0, 2)


def head_world(number: int, seed: int) -> tuple[HeadWorld, np.ndarray]:
    """A head and its brain (bool, the grid of its maps); equal numbers and seeds give equal heads."""
    name = f"head_{number:03}"
    images, _, tissues = phantom_and_tissues(name, seed, "many")
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), 1])
    brain = images["t1"] > 0
    inside = np.zeros((*brain.shape, len(TISSUES)), np.uint8)
    inside[BOX] = tissues
    found = heads.head_of(random, brain)
    layers = [np.pad(inside[..., channel], heads.AROUND) for channel in range(len(TISSUES))]
    layers += [255 * (found == heads.TISSUES.index(name)).astype(np.uint8) for name in AROUND]
    maps = np.stack([_coarse(layer) for layer in layers], -1)
    share = _coarse(255 * (found == heads.TISSUES.index("brain")).astype(np.uint8))
    return HeadWorld(maps, bool(tissues[..., TISSUES.index("enhancing")].any())), share > 127


def _signals(random: np.random.Generator, enhancing: bool) -> np.ndarray:
    """The signal of each tissue: in the brain that of a modality or any; around it any, and mostly none in bone."""
    drawn = draw_contrast(random, MODALITIES, enhancing).signals
    inside = drawn[:, random.integers(len(MODALITIES))]
    if random.random() < 0.3:
        inside[:6] = random.uniform(0.05, 1.3, 6)
    # Of layers that lie upon the tissues of the brain, a part.
    inside[6:] *= 0.5
    # A rim is what a tool for stripping left; here nothing was stripped.
    inside[TISSUES.index("rim")] = 0
    around = random.uniform(0.03, 1.6, len(AROUND)).astype(np.float32)
    if random.random() < 0.85:
        around[AROUND.index("skull")] = random.uniform(0.01, 0.15)
    if random.random() < 0.7:
        # Fluid around the brain is mostly that in it.
        around[AROUND.index("fluid")] = inside[0]
    return np.concatenate([inside, around]).astype(np.float32)


def _lowest_slice(random: np.random.Generator, maps: np.ndarray) -> int:
    """The first slice of a field of view that holds the whole brain, and less of the neck than the head has."""
    brain = np.flatnonzero(maps[..., :6].any((0, 1, 3)))
    return int(brain[0] * random.uniform(0.3, 1)) if brain.size else 0


def _coarse(layer: np.ndarray) -> np.ndarray:
    """Means (uint8) over blocks of `VOXEL_MM` voxels, with a margin of zeros."""
    shape = [size // VOXEL_MM for size in layer.shape]
    cut = layer[tuple(slice(size * VOXEL_MM) for size in shape)]
    blocks = cut.reshape([length for size in shape for length in (size, VOXEL_MM)])
    return np.pad(np.rint(blocks.mean((1, 3, 5), dtype=np.float32)).astype(np.uint8), MARGIN)
