"""A preprocessed subject's images, truth and prediction, read from the original files for display."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.files import read_json
from glioseg.labels import MASK, known_classes
from glioseg.layouts.table import listed_files
from glioseg.scan_facts import ScanFacts
from glioseg.volumes.brain import brain_mask
from glioseg.volumes.nifti import read_volume, take_volumes
from glioseg.volumes.orientation import to_lps


class Layers(NamedTuple):
    """Volumes of a subject on one grid in LPS order.

    images: by modality, with NaN and infinity as 0; brain: voxels that differ from the background in any image (bool);
    affine (4x4, mm); truth, predicted: class indices (uint8), None if there is none.
    """

    scan: ScanFacts
    images: dict[str, np.ndarray]
    brain: np.ndarray
    affine: np.ndarray
    truth: np.ndarray | None
    predicted: np.ndarray | None


def read_layers(preprocessed: Path, subjects: Path, labels: str, prediction: Path | None) -> Layers | None:
    """Read a subject's layers from its folder of `preprocess` and its predicted label map; None if it is excluded.

    subjects: table of `layouts`, which lists the subject's files; labels: label dialect of truth and prediction.
    """
    scan: ScanFacts = read_json(preprocessed / "scan.json")
    if scan["verdict"] == "excluded":
        return None
    name = scan["subject"]
    files = listed_files(subjects, [name], (*scan["modalities"], MASK))[name]
    images = {name: to_lps(*volume)[0] for name, volume in take_volumes(files).items()}
    mask = images.pop(MASK, None)
    images = {name: np.nan_to_num(volume, nan=0, posinf=0, neginf=0) for name, volume in images.items()}
    known = scan["intensities"]
    brain = np.logical_or.reduce([brain_mask(volume, known[name]["background"]) for name, volume in images.items()])
    truth = None if mask is None else known_classes(mask, labels)
    predicted = known_classes(to_lps(*read_volume(prediction))[0], labels) if prediction else None
    return Layers(scan, images, brain, np.array(scan["affine"]), truth, predicted)
