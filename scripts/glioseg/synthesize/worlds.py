"""Training patches of phantoms whose contrast is drawn for each patch, from their tissue maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glioseg.files import read_array
from glioseg.synthesize.contrast import TISSUES, draw_contrast, paint

# Whether a scan is used as it is, or a patch of it is drawn from the tissue maps with another contrast.
CONTRASTS = ("scan", "random")
# Voxels of the brain from which the mean and the standard deviation of a whole scan are computed.
_SAMPLE = 8192


@dataclass(frozen=True)
class World:
    """Tissue maps of a phantom (X, Y, Z, tissues, uint8), a sample of them (N, tissues, 0 to 1), and its modalities."""

    maps: np.ndarray
    sample: np.ndarray
    modalities: tuple[str, ...]
    enhancing: bool

    def painted(self, random: np.random.Generator, maps: np.ndarray) -> np.ndarray:
        """An image (X, Y, Z, C) float32 of a patch of the maps (float32, 0 to 255) in a contrast that is drawn."""
        drawn = draw_contrast(random, self.modalities, self.enhancing)
        return paint(random, maps * np.float32(1 / 255), self.sample, drawn)


def load_world(folder: Path, modalities: Sequence[str]) -> World:
    """Open the tissue maps in a folder of `preprocess` by memory map. Raises ValueError if they cannot be read."""
    maps = read_array(folder / "tissues.npy", 4, mapped=True)
    voxels = maps.reshape(-1, len(TISSUES))
    brain = np.flatnonzero(voxels[:, :6].any(-1))
    chosen = np.random.default_rng(0).choice(brain, min(_SAMPLE, len(brain)), replace=False)
    sample = voxels[np.sort(chosen)].astype(np.float32) / 255
    return World(maps, sample, tuple(modalities), bool(maps[..., TISSUES.index("enhancing")].any()))
