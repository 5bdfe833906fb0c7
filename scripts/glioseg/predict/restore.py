"""Undo preprocessing: bring predictions from the preprocessed image to the grid of the subject's own file."""

from collections.abc import Mapping, Sequence

import numpy as np

from glioseg.predict.decide import decide
from glioseg.scan_facts import ScanFacts
from glioseg.volumes.boxes import cut, lengths
from glioseg.volumes.orientation import from_lps
from glioseg.volumes.resample import resample


def restore_classes(
    probabilities: np.ndarray, scan: ScanFacts, channels: Sequence[str], targets: str, thresholds: Mapping[str, float]
) -> np.ndarray:
    """Return class indices (uint8, of `labels.CLASSES`) on the grid of the subject's file (its shape and axis order).

    probabilities: (X, Y, Z, K) of the preprocessed image; channels, targets and thresholds: see `decide`; scan: its
    `scan.json`. The probabilities are resampled to the scan's spacing, turned into classes there, and put back at the
    crop. Everything outside the crop is background.
    """
    parts = [_to_scan(channel, scan) for channel in np.moveaxis(probabilities, -1, 0)]
    return _put_back(decide(np.moveaxis(np.stack(parts), 0, -1), channels, targets, thresholds), scan)


def restore_map(values: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """Return a map (X, Y, Z) float32 of the preprocessed image on the subject's own grid, 0 outside the crop."""
    return _put_back(_to_scan(values, scan), scan)


def _to_scan(values: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """Resample a volume (X, Y, Z) float32 of the preprocessed image to the scan's spacing and the crop's shape."""
    return resample(values, scan["target_spacing_mm"], scan["spacing_mm"], lengths(scan["crop"]))


def _put_back(part: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """Return a crop in LPS order in the shape and axis order of the scan's file, with zeros around it."""
    whole = np.zeros(scan["shape"], part.dtype)
    cut(whole, scan["crop"])[...] = part
    return from_lps(whole, np.array(scan["own"]["affine"]))
