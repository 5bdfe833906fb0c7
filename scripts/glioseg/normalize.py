"""Intensity normalizations: each takes a whole volume (float32, 3-D) and its brain mask, and returns float32."""

import numpy as np


def zscore(volume: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Zero mean and unit deviation inside the brain, 0 outside. A constant brain becomes 0."""
    values = volume[brain]
    center, spread = values.mean(dtype=np.float64), values.std(dtype=np.float64)
    return np.where(brain, (volume - np.float32(center)) / np.float32(spread or 1), np.float32(0))


def percentile(volume: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Linear map of the brain's 0.5th to 99.5th percentile to [0, 1], clipped, 0 outside: deaf to outliers."""
    low, high = np.percentile(volume[brain], (0.5, 99.5))
    return np.where(brain, np.clip((volume - np.float32(low)) / np.float32(high - low or 1), 0, 1), np.float32(0))


def minmax(volume: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Linear map of the volume's minimum to 0 and maximum to 1, background included. A constant volume becomes 0."""
    low, high = volume.min(), volume.max()
    return (volume - low) / (high - low or np.float32(1))


def minmax_slice(volume: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """`minmax` of each axial slice by itself, as scikit-learn's MinMaxScaler does on `volume.reshape(-1, slices)`."""
    low, high = volume.min(axis=(0, 1)), volume.max(axis=(0, 1))
    span = high - low
    return (volume - low) / np.where(span == 0, np.float32(1), span)


NORMALIZATIONS = {
    "zscore": zscore,
    "percentile": percentile,
    "minmax": minmax,
    "minmax_slice": minmax_slice,
}
