"""A preprocessed image and models -> a segmentation on the scan's own grid, with maps of how sure it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.labels import EVERYWHERE, to_values
from glioseg.predict.decide import certainty, entropy, region_probabilities
from glioseg.predict.model_facts import read_facts
from glioseg.predict.postprocess import drop_small
from glioseg.predict.restore import restore_classes, restore_map
from glioseg.predict.runtime import choose_runtime, load_networks
from glioseg.predict.sliding_window import predict_probabilities
from glioseg.volumes.nifti import write_map, write_volume

# Of each region its probability; how undecided the mean is; and how far models, flips and windows disagree.
MAPS = (*EVERYWHERE, "entropy", "disagreement")


class Segmentation(NamedTuple):
    """Class indices (uint8) and maps (float32, 0 to 1) by name, on the grid of the subject's own file.

    certainty: what `decisions.certainty` says; runtime: what it was predicted on.
    """

    classes: np.ndarray
    maps: dict[str, np.ndarray]
    certainty: dict
    runtime: str


def segment_image(image: np.ndarray, scan: dict, models: Sequence[Path], how: dict) -> Segmentation:
    """The segmentation of a preprocessed image (X, Y, Z, C) by the mean of models (model.keras).

    scan: its `scan.json`. how: runtime, threads, overlap, flips, maps, smallest_enhancing_ml, smallest_component_ml.
    The map "disagreement" is the entropy of the mean less the mean entropy of single predictions: their mutual
    information, which models, flips and windows that agree on being undecided do not raise (Smith & Gal 2018,
    arXiv:1803.08533). Raises ValueError for what can't be read, isn't known or doesn't fit.
    """
    facts = read_facts(models)
    runtime = choose_runtime(how["runtime"], models)
    networks = load_networks(models, runtime, how["threads"])
    meaning = facts.channels, facts.targets
    disagreement = "disagreement" in how["maps"]
    found = predict_probabilities(networks, image, *meaning, how["overlap"], how["flips"], disagreement)
    maps = {name: _map(name, found, meaning) for name in how["maps"]}
    voxel_ml = float(np.prod(scan["spacing_mm"])) / 1000
    classes = restore_classes(found.probabilities, scan, *meaning)
    return Segmentation(
        drop_small(classes, voxel_ml, how["smallest_enhancing_ml"], how["smallest_component_ml"]),
        {name: restore_map(values, scan) for name, values in maps.items()},
        certainty(found.probabilities, *meaning, float(np.prod(scan["target_spacing_mm"])) / 1000),
        runtime,
    )


def write_segmentation(found: Segmentation, scan: dict, labels: str, folder: Path, output: Path) -> None:
    """Write the label map, in the values of a dialect, and each map as NAME.nii.gz into a folder."""
    affine = np.array(scan["own"]["affine"])
    for name, values in found.maps.items():
        write_map(folder / f"{name}.nii.gz", values, affine)
    write_volume(output, to_values(found.classes, labels), affine)


def _map(name: str, found, meaning: tuple) -> np.ndarray:
    if name in EVERYWHERE:
        return region_probabilities(found.probabilities, *meaning, name)
    undecided = entropy(found.probabilities, meaning[1])
    if name == "entropy":
        return undecided
    return np.maximum(undecided - found.single_entropy, 0)
