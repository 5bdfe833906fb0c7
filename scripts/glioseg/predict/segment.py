"""Segment a preprocessed image with trained models, on the scan's own grid, with probability and uncertainty maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.labels import EVERYWHERE, to_values
from glioseg.model_files import ModelFile, by_region
from glioseg.predict.calibrate.temperature import calibrated
from glioseg.predict.decide import entropy, region_probabilities, uncertainty
from glioseg.predict.model_facts import read_facts
from glioseg.predict.postprocess import drop_small
from glioseg.predict.restore import restore_classes, restore_map
from glioseg.predict.runtime import choose_runtime, load_networks
from glioseg.predict.sliding_window import predict_probabilities
from glioseg.scan_facts import ScanFacts
from glioseg.volumes.nifti import write_label_map, write_map
from glioseg.volumes.orientation import voxel_ml

# Each region's probability, the entropy of the mean prediction, and how much models, flips and windows disagree.
MAPS = (*EVERYWHERE, "entropy", "disagreement")


class Segmentation(NamedTuple):
    """Class indices (uint8) and maps (float32, 0 to 1) by name, on the grid of the subject's own file.

    uncertainty: the result of `decide.uncertainty`; runtime: the runtime of the prediction.
    """

    classes: np.ndarray
    maps: dict[str, np.ndarray]
    uncertainty: dict
    runtime: str


@dataclass(frozen=True)
class PredictSettings:
    """The configuration section `predict`, and the number of threads."""

    overlap: float
    flips: Sequence[str]
    runtime: str
    smallest_enhancing_ml: float
    smallest_component_ml: float
    threshold_wt: float
    threshold_tc: float
    threshold_et: float
    temperature: float
    maps: Sequence[str]
    threads: int


def segment_image(
    image: np.ndarray, scan: ScanFacts, models: Sequence[ModelFile], settings: PredictSettings
) -> Segmentation:
    """Segment a preprocessed image (X, Y, Z, C) by the mean prediction of the models (model.keras).

    scan: its `scan.json`. The temperature calibrates the regions' maps and the uncertainty; the classes are those of
    the network's own probabilities, and so are entropy and disagreement. The map "disagreement" is the entropy of the
    mean minus the mean entropy of the single predictions, which is their mutual information (Smith & Gal 2018,
    arXiv:1803.08533). It is low where models, flips and windows agree, even if each of them is uncertain. Raises
    ValueError for a model that cannot be read or does not fit the image, and for an unknown setting.
    """
    facts = read_facts(models)
    runtime = choose_runtime(settings.runtime, models)
    networks = load_networks(models, runtime, settings.threads)
    meaning = facts.channels, facts.targets
    disagreement = "disagreement" in settings.maps
    found = predict_probabilities(networks, image, *meaning, settings.overlap, settings.flips, disagreement)
    maps = {name: _map(name, found, meaning, settings.temperature) for name in settings.maps}
    thresholds = by_region(vars(settings))
    classes = restore_classes(found.probabilities, scan, *meaning, thresholds)
    return Segmentation(
        drop_small(
            classes, voxel_ml(scan["spacing_mm"]), settings.smallest_enhancing_ml, settings.smallest_component_ml
        ),
        {name: restore_map(values, scan) for name, values in maps.items()},
        uncertainty(
            found.probabilities, *meaning, thresholds, voxel_ml(scan["target_spacing_mm"]), settings.temperature
        ),
        runtime,
    )


def write_segmentation(found: Segmentation, scan: ScanFacts, labels: str, folder: Path, output: Path) -> None:
    """Write the label map in the values of a label dialect, and each map as NAME.nii.gz into a folder."""
    affine, forms = np.array(scan["own"]["affine"]), scan["own"]["forms"]
    for name, values in found.maps.items():
        write_map(folder / f"{name}.nii.gz", values, affine, forms)
    write_label_map(output, to_values(found.classes, labels), affine, forms)


def _map(name: str, found, meaning: tuple, temperature: float) -> np.ndarray:
    if name in EVERYWHERE:
        return calibrated(region_probabilities(found.probabilities, *meaning, name), temperature)
    entropy_of_mean = entropy(found.probabilities, meaning[1])
    if name == "entropy":
        return entropy_of_mean
    return np.maximum(entropy_of_mean - found.single_entropy, 0)
