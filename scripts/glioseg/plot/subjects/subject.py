"""The figures of one subject."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from glioseg.files import read_array, read_json
from glioseg.labels import REGIONS
from glioseg.plot.subjects import slices, subject_slices
from glioseg.preprocess.layers import read_layers
from glioseg.scan_facts import ScanFacts


def subject(
    preprocessed: Path,
    subjects: Path,
    labels: str,
    prediction: Path | None,
    scores: Path | None,
    modalities: Sequence[str] = (),
    planes: Sequence[str] = (),
) -> dict[str, Figure]:
    """The figures of one subject by name, from its folder of `preprocess` and, if given, its prediction and scores.

    subjects: table of `layouts`, which lists the subject's files; labels: dialect of mask and prediction; modalities,
    planes: what the figure "planes" shows, by default flair and t1ce in all PLANES. An excluded subject has no figures.
    Missing modalities are left out.
    Raises ValueError if the subject lacks one of the requested modalities.
    """
    layers = read_layers(preprocessed, subjects, labels, prediction)
    if layers is None:
        return {}
    scan, _, _, affine, *_ = layers
    sizes_mm = slices.spacing(affine)
    brain = slices.turn(layers.brain, affine)
    box = slices.box(brain, sizes_mm)
    images = {name: slices.turn(volume, affine)[box] for name, volume in layers.images.items()}
    truth, predicted = (
        None if classes is None else slices.turn(classes, affine)[box] for classes in (layers.truth, layers.predicted)
    )
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


def _sample(preprocessed: Path, scan: ScanFacts, affine: np.ndarray) -> Figure:
    sample = read_array(preprocessed / "image.npy", 4).astype(np.float32)
    places = {name: place for place, name in enumerate(scan["modalities"]) if name not in scan["missing_modalities"]}
    images = {name: slices.turn(sample[..., place], affine) for name, place in places.items()}
    mask = preprocessed / "mask.npy"
    classes = slices.turn(read_array(mask, 3), affine) if mask.exists() else None
    # The sample has its own spacing but the axes of the scan, so the scan's affine turns it as well.
    sizes_mm = slices.turn_sizes(scan["target_spacing_mm"], affine)
    return subject_slices.sample(images, slices.turn(sample.any(axis=-1), affine), sizes_mm, classes)
