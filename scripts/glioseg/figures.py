"""The figures by name, each from the files that it is drawn from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from glioseg import figures_agreement, figures_cohort, figures_network, figures_subject, figures_view, network_plan
from glioseg.arrays import read_array
from glioseg.calibration import CALIBRATION_COLUMNS, bins_of
from glioseg.figures_calibration import calibration as reliability
from glioseg.figures_uncertainty import uncertainty as sureness
from glioseg.keras_file import read_layers
from glioseg.labels import CLASSES, MASK, REGIONS
from glioseg.nifti import take_volumes
from glioseg.outputs import read_json, read_table
from glioseg.reading import known_classes
from glioseg.summary import NETWORK, SUBJECT_COLUMNS
from glioseg.volumes import brain_mask, read_volume, to_lps


def curves(histories: Sequence[Path]) -> Figure:
    """Learning curves from the histories train/{fold}/history.csv, named by their folders."""
    return figures_cohort.curves({path.parent.name: _columns(path) for path in histories})


def scores(inputs: Sequence[Path]) -> Figure:
    """Dice and HD95 per region and method from the table of subjects that `summarize` writes."""
    (table,) = inputs
    values: dict = {"dice": {}, "hd95_mm": {}}
    for row in read_table(table, SUBJECT_COLUMNS):
        if row["metric"] in values and row["region"] in REGIONS:
            methods = values[row["metric"]].setdefault(row["method"], {})
            methods.setdefault(row["region"], []).append(float(row["value"]))
    for metric, methods in values.items():
        values[metric] = dict(sorted(methods.items(), key=lambda method: method[0] != NETWORK))
    return figures_cohort.scores(values)


def agreement(inputs: Sequence[Path]) -> Figure:
    """The network's volumes and Dice per region from the table of subjects that `summarize` writes.

    A subject that could not be predicted is shown where its true volume is known.
    """
    (table,) = inputs
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in read_table(table, SUBJECT_COLUMNS):
        if row["method"] == NETWORK and row["region"] in REGIONS:
            found.setdefault((row["region"], row["subject"]), {})[row["metric"]] = float(row["value"])
    shown = ("truth_ml", "predicted_ml", "dice")
    values: dict[str, tuple[list, ...]] = {}
    for (region, _), scores_of in found.items():
        if set(shown) <= set(scores_of):
            for column, name in zip(values.setdefault(region, ([], [], [])), shown, strict=True):
                column.append(scores_of[name])
    return figures_agreement.agreement(values)


def calibration(inputs: Sequence[Path]) -> Figure:
    """How far the network's probabilities are true, from the table of calibration that `summarize` writes."""
    (table,) = inputs
    return reliability(bins_of(read_table(table, CALIBRATION_COLUMNS)))


def uncertainty(inputs: Sequence[Path]) -> Figure:
    """How unsure each segmentation is against its Dice, from the table of uncertainty that `summarize` writes."""
    (table,) = inputs
    rows = read_table(table, ("uncertainty", "dice"))
    unsure, dice = ([float(row[name] or "nan") for row in rows] for name in ("uncertainty", "dice"))
    return sureness(unsure, dice)


def cohort(inputs: Sequence[Path]) -> Figure:
    """Tumor volumes from the cohort table and the folder with each subject's scan.json, in this order."""
    table, preprocessed = inputs
    volumes_ml, folds = {}, {}
    for row in read_table(table, ("subject", "verdict", "fold", "has_mask")):
        if row["verdict"] != "excluded" and row["has_mask"] == "yes":
            scan = read_json(preprocessed / row["subject"] / "scan.json")
            voxel_ml = float(np.prod(scan["spacing_mm"])) / 1000
            volumes_ml[row["subject"]] = [scan["classes"].get(tissue, 0) * voxel_ml for tissue in CLASSES[1:]]
            folds[row["subject"]] = row["fold"]
    return figures_cohort.cohort(volumes_ml, folds)


def network(inputs: Sequence[Path]) -> Figure:
    """Diagram of the network in a .keras file."""
    (model,) = inputs
    return figures_network.network(network_plan.stages(*read_layers(model)))


FIGURES = {
    "curves": curves,
    "scores": scores,
    "agreement": agreement,
    "calibration": calibration,
    "uncertainty": uncertainty,
    "cohort": cohort,
    "network": network,
}


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
    sizes_mm = figures_view.spacing(affine)
    volumes = _volumes(scan)
    truth = volumes.pop(MASK, None)
    masks = [brain_mask(volume, scan["intensities"][name]["background"]) for name, volume in volumes.items()]
    brain = figures_view.turn(np.logical_or.reduce(masks), affine)
    box = figures_view.box(brain, sizes_mm)
    images = {name: figures_view.turn(volume, affine)[box] for name, volume in volumes.items()}

    def classes(volume: np.ndarray | None) -> np.ndarray | None:
        return None if volume is None else figures_view.turn(known_classes(volume, labels), affine)[box]

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
        "modalities": figures_subject.modalities(images, brain[box], sizes_mm, truth),
        "sample": _sample(preprocessed, scan, affine),
        "planes": figures_subject.planes(
            shown, brain[box], sizes_mm, truth, predicted, title, planes or list(figures_view.PLANES)
        ),
    }


def _volumes(scan: dict) -> dict[str, np.ndarray]:
    """Voxels of a scan's modalities and mask by name, in LPS order, as its `scan.json` found them."""
    files = {name: (file, scan["volumes"][name]) for name, file in scan["files"].items()}
    return {name: to_lps(*volume)[0] for name, volume in take_volumes(files).items()}


def _sample(preprocessed: Path, scan: dict, affine: np.ndarray) -> Figure:
    sample = read_array(preprocessed / "image.npy", 4).astype(np.float32)
    places = {name: place for place, name in enumerate(scan["modalities"]) if name in scan["files"]}
    images = {name: figures_view.turn(sample[..., place], affine) for name, place in places.items()}
    mask = preprocessed / "mask.npy"
    classes = figures_view.turn(read_array(mask, 3), affine) if mask.exists() else None
    # The sample has its own spacing; its axes are the scan's, so they turn the same way.
    sizes_mm = figures_view.turn_sizes(scan["target_spacing_mm"], affine)
    return figures_subject.sample(images, figures_view.turn(sample.any(axis=-1), affine), sizes_mm, classes)


def _columns(path: Path) -> dict[str, np.ndarray]:
    rows = read_table(path, ("epoch",))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in (rows[0] if rows else ())}
