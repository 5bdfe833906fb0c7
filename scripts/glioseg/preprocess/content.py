"""The checks that compare what modalities hold. Each returns a sentence that says what is wrong, or None.

They exclude a scan, as those in `checks` do.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path

import numpy as np

# Ordinary modalities (36 files of 11 patients) spread over at least 4 standard deviations, and over at least 0.3 where
# the minimum becomes 0 and the maximum 1. Less than this is what one voxel of 1e7 leaves of them.
LEAST_DEVIATIONS, LEAST_SPREAD = 1.0, 0.02


def same_file(files: Mapping[str, tuple[Path, int]]) -> str | None:
    """Report modalities (or "seg") that are the same volume of the same file, by file and index of the volume."""
    same = _alike({name: (Path(path).resolve(), volume) for name, (path, volume) in files.items()})
    if not same:
        return None
    path, volume = files[same[0]]
    return (
        f"{', '.join(same)} are the same volume {volume} of {path}; expected a file for each, or the index of its "
        f"volume in a 4-D file, such as {path}:{volume + 1}"
    )


def same_voxels(hashes: Mapping[str, str]) -> str | None:
    """Report modalities whose brains hold the same voxels, by the hash of these voxels."""
    same = _alike(hashes)
    return f"{', '.join(same)} hold the same voxels; replace the wrong file" if same else None


def no_contrast(name: str, normalized: np.ndarray, deviation: float, found: Mapping[str, float]) -> str | None:
    """Report a modality of which nothing is left after normalization: 99 % of the brain has nearly one value.

    normalized: voxels of the brain after normalization (1-D), evenly spread; deviation: the standard deviation of all
    voxels, or 0 if it is not known; found: the brain's `intensities` before normalization. None without voxels.
    """
    if not normalized.size:
        return None
    low, high = np.percentile(normalized, (0.5, 99.5))
    spread = float(high - low)
    if spread >= max(LEAST_SPREAD, LEAST_DEVIATIONS * deviation):
        return None
    return (
        f"nothing is left of {name} after normalization: 99 % of the brain lies within {spread:.2g}, as the values "
        f"reach from {found['minimum']:.4g} to {found['maximum']:.4g}; export it again, or set preprocess: "
        "normalization: zscore_robust if a few voxels are wrong"
    )


def _alike(values: Mapping[str, Hashable]) -> list[str]:
    """The first names, in the order of the values, that have one value in common; [] if all values differ."""
    groups: dict[Hashable, list[str]] = {}
    for name, value in values.items():
        groups.setdefault(value, []).append(name)
    return next((names for names in groups.values() if len(names) > 1), [])
