"""A preprocessed image and models -> a segmentation on the scan's own grid, with maps of how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.labels import EVERYWHERE, to_values
from glioseg.predict.decide import entropy, region_probabilities, uncertainty
from glioseg.predict.model_facts import read_facts
from glioseg.predict.postprocess import drop_small
from glioseg.predict.restore import restore_classes, restore_map
from glioseg.predict.runtime import choose_runtime, load_networks
from glioseg.predict.sliding_window import predict_probabilities
from glioseg.scan_facts import ScanFacts
from glioseg.volumes.nifti import write_map, write_volume
from glioseg.volumes.orientation import voxel_ml

# Of each region its probability; how undecided the mean is; and how far models, flips and windows disagree.
MAPS = (*EVERYWHERE, "entropy", "disagreement")


class Segmentation(NamedTuple):
    """Class indices (uint8) and maps (float32, 0 to 1) by name, on the grid of the subject's own file.

    uncertainty: what `decide.uncertainty` says; runtime: what it was predicted on.
    """

    classes: np.ndarray
    maps: dict[str, np.ndarray]
    uncertainty: dict
    runtime: str


@dataclass(frozen=True)
class PredictSettings:
    """The section `predict` of the configuration, and the number of threads."""

    overlap: float
    flips: Sequence[str]
    runtime: str
    smallest_enhancing_ml: float
    smallest_component_ml: float
    maps: Sequence[str]
    threads: int


def segment_image(
    image: np.ndarray, scan: ScanFacts, models: Sequence[Path], settings: PredictSettings
) -> Segmentation:
    """The segmentation of a preprocessed image (X, Y, Z, C) by the mean of models (model.keras).

    scan: its `scan.json`.
    The map "disagreement" is the entropy of the mean less the mean entropy of single predictions: their mutual
    information, which models, flips and windows that agree on being undecided do not raise (Smith & Gal 2018,
    arXiv:1803.08533). Raises ValueError for what can't be read, isn't known or doesn't fit.
    """
    facts = read_facts(models)
    runtime = choose_runtime(settings.runtime, models)
    networks = load_networks(models, runtime, settings.threads)
    meaning = facts.channels, facts.targets
    disagreement = "disagreement" in settings.maps
    found = predict_probabilities(networks, image, *meaning, settings.overlap, settings.flips, disagreement)
    maps = {name: _map(name, found, meaning) for name in settings.maps}
    classes = restore_classes(found.probabilities, scan, *meaning)
    return Segmentation(
        drop_small(
            classes, voxel_ml(scan["spacing_mm"]), settings.smallest_enhancing_ml, settings.smallest_component_ml
        ),
        {name: restore_map(values, scan) for name, values in maps.items()},
        uncertainty(found.probabilities, *meaning, voxel_ml(scan["target_spacing_mm"])),
        runtime,
    )


def write_segmentation(found: Segmentation, scan: ScanFacts, labels: str, folder: Path, output: Path) -> None:
    """Write the label map, in the values of a dialect, and each map as NAME.nii.gz into a folder."""
    affine = np.array(scan["own"]["affine"])
    for name, values in found.maps.items():
        write_map(folder / f"{name}.nii.gz", values, affine)
    write_volume(output, to_values(found.classes, labels), affine)


def _map(name: str, found, meaning: tuple) -> np.ndarray:
    if name in EVERYWHERE:
        return region_probabilities(found.probabilities, *meaning, name)
    mean_entropy = entropy(found.probabilities, meaning[1])
    if name == "entropy":
        return mean_entropy
    return np.maximum(mean_entropy - found.single_entropy, 0)
