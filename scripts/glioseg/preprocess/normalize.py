"""Intensity normalizations of a volume (float32, 3-D) or of its brain's voxels (values, 1-D); they return float32.

Each takes volume, values and `intensities`. It returns the volume, or only the values if everything else becomes 0.
The volume may be a part of a scan that contains the whole brain and, if the scan has one, a margin of background.
"""

import numpy as np


def intensities(values: np.ndarray) -> dict[str, float]:
    """Minimum, maximum, mean and standard deviation of a brain's voxels (float32, 1-D); all 0 if there are none."""
    if not values.size:
        return {"minimum": 0.0, "maximum": 0.0, "mean": 0.0, "std": 0.0}
    # np.std in double precision takes twice the time.
    deviations = values.astype(np.float64)
    mean = deviations.mean()
    deviations -= mean
    variance = np.square(deviations, out=deviations).mean()
    return {
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "mean": float(mean),
        "std": float(np.sqrt(variance)),
    }


def zscore(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """Zero mean and unit standard deviation inside the brain, 0 outside. A constant brain becomes 0."""
    return (values - np.float32(inside["mean"])) / (np.float32(inside["std"]) or np.float32(1))


def zscore_robust(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """`zscore` by the voxels from the brain's 0.5th to its 99.5th percentile; others are clipped to these percentiles.

    A few wrong voxels change neither the mean nor the standard deviation.
    """
    low, high = np.percentile(values, (0.5, 99.5)) if values.size else (0, 0)
    usual = intensities(values[(values >= low) & (values <= high)])
    return zscore(volume, np.clip(values, np.float32(low), np.float32(high)), usual)


def percentile(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """Linear map of the brain's 0.5th to 99.5th percentile to [0, 1], clipped against outliers; 0 outside the brain."""
    low, high = np.percentile(values, (0.5, 99.5)) if values.size else (0, 0)
    return np.clip((values - np.float32(low)) / (np.float32(high - low) or np.float32(1)), 0, 1)


def minmax(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """Linear map of the volume's minimum to 0 and maximum to 1, background included. A constant volume becomes 0."""
    low, high = volume.min(), volume.max()
    return (volume - low) / (high - low or np.float32(1))


def minmax_slice(volume: np.ndarray, values: np.ndarray, inside: dict[str, float]) -> np.ndarray:
    """`minmax` of each axial slice separately, as scikit-learn's MinMaxScaler on `volume.reshape(-1, slices)`."""
    low, high = volume.min(axis=(0, 1)), volume.max(axis=(0, 1))
    span = high - low
    return (volume - low) / np.where(span == 0, np.float32(1), span)


NORMALIZATIONS = {
    "zscore": zscore,
    "zscore_robust": zscore_robust,
    "percentile": percentile,
    "minmax": minmax,
    "minmax_slice": minmax_slice,
}
