"""The pictures of one subject."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from glioseg.files import read_array, read_json
from glioseg.labels import MASK, REGIONS, known_classes
from glioseg.plot import slices, subject_slices
from glioseg.volumes.brain import brain_mask
from glioseg.volumes.nifti import read_volume, take_volumes
from glioseg.volumes.orientation import to_lps


def subject(
    preprocessed: Path,
    labels: str,
    prediction: Path | None,
    scores: Path | None,
    modalities: Sequence[str] = (),
    planes: Sequence[str] = (),
) -> dict[str, Figure]:
    """Pictures of one subject by name, from its folder of `preprocess`, and if it has them its prediction and scores.

    labels: the dialect of mask and prediction; modalities, planes: what "planes" shows, none for flair and t1ce in all
    PLANES. An excluded subject has no pictures; a missing modality is left out.
    Raises ValueError for a modality that is asked for and that the subject lacks.
    """
    scan = read_json(preprocessed / "scan.json")
    if scan["verdict"] == "excluded":
        return {}
    affine = np.array(scan["affine"])
    sizes_mm = slices.spacing(affine)
    volumes = _volumes(scan)
    truth = volumes.pop(MASK, None)
    masks = [brain_mask(volume, scan["intensities"][name]["background"]) for name, volume in volumes.items()]
    brain = slices.turn(np.logical_or.reduce(masks), affine)
    box = slices.box(brain, sizes_mm)
    images = {name: slices.turn(volume, affine)[box] for name, volume in volumes.items()}

    def classes(volume: np.ndarray | None) -> np.ndarray | None:
        return None if volume is None else slices.turn(known_classes(volume, labels), affine)[box]

    truth, predicted = classes(truth), classes(to_lps(*read_volume(prediction))[0] if prediction else None)
    title = scan["subject"]
    if scores:
        regions = read_json(scores)["regions"]
        dice = [f"{name} {regions[name]['dice']:.2f}" for name in REGIONS if name in regions]
        title += "    Dice  " + "   ".join(dice)
    absent = [name for name in modalities if name not in images]
    if absent:
        raise ValueError(f"{scan['subject']}: expected any of {', '.join(images)}, found {', '.join(absent)}")
    usual = [name for name in ("flair", "t1ce") if name in images] or list(images)[:2]
    shown = {name: images[name] for name in modalities or usual}
    return {
        "modalities": subject_slices.modalities(images, brain[box], sizes_mm, truth),
        "sample": _sample(preprocessed, scan, affine),
        "planes": subject_slices.planes(
            shown, brain[box], sizes_mm, truth, predicted, title, planes or list(slices.PLANES)
        ),
    }


def _volumes(scan: dict) -> dict[str, np.ndarray]:
    """Voxels of a scan's modalities and mask by name, in LPS order, as its `scan.json` found them."""
    files = {name: (file, scan["volumes"][name]) for name, file in scan["files"].items()}
    return {name: to_lps(*volume)[0] for name, volume in take_volumes(files).items()}


def _sample(preprocessed: Path, scan: dict, affine: np.ndarray) -> Figure:
    sample = read_array(preprocessed / "image.npy", 4).astype(np.float32)
    places = {name: place for place, name in enumerate(scan["modalities"]) if name in scan["files"]}
    images = {name: slices.turn(sample[..., place], affine) for name, place in places.items()}
    mask = preprocessed / "mask.npy"
    classes = slices.turn(read_array(mask, 3), affine) if mask.exists() else None
    # The sample has its own spacing; its axes are the scan's, so they turn the same way.
    sizes_mm = slices.turn_sizes(scan["target_spacing_mm"], affine)
    return subject_slices.sample(images, slices.turn(sample.any(axis=-1), affine), sizes_mm, classes)
