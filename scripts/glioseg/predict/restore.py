"""The way back of preprocessing: from what was found in its image to the grid of the subject's own file."""

import numpy as np

from glioseg.predict.decide import decide
from glioseg.scan_facts import ScanFacts
from glioseg.volumes.boxes import cut, lengths
from glioseg.volumes.orientation import from_lps
from glioseg.volumes.resample import resample


def restore_classes(probabilities: np.ndarray, scan: ScanFacts, channels: list[str], targets: str) -> np.ndarray:
    """Class indices (uint8, of `labels.CLASSES`) on the grid of the subject's own file, in its shape and order.

    probabilities (X, Y, Z, K) of the preprocessed image, channels and targets say of what (see `decisions`). They are
    brought to the scan's spacing, decided there, and put back where the crop was; background outside of it.
    scan: its `scan.json`.
    """
    parts = [_to_scan(channel, scan) for channel in np.moveaxis(probabilities, -1, 0)]
    return _put_back(decide(np.moveaxis(np.stack(parts), 0, -1), channels, targets), scan)


def restore_map(values: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """A map (X, Y, Z) float32 of the preprocessed image on the grid of the subject's own file; 0 outside the crop."""
    return _put_back(_to_scan(values, scan), scan)


def _to_scan(values: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """A volume of the preprocessed image (X, Y, Z) float32 at the scan's spacing: that of the crop."""
    return resample(values, scan["target_spacing_mm"], scan["spacing_mm"], lengths(scan["crop"]))


def _put_back(part: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """What was cut out of a scan in LPS order, in the shape and order of its file, zeros around it."""
    whole = np.zeros(scan["shape"], part.dtype)
    cut(whole, scan["crop"])[...] = part
    return from_lps(whole, np.array(scan["own"]["affine"]))
