"""What a network has to beat: one FLAIR threshold, and a classifier that sees single voxels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from glioseg.evaluate.metrics import dice_of_sizes
from glioseg.evaluate.summary import BASELINE_COLUMNS
from glioseg.files import read_json, read_sample, read_table
from glioseg.labels import CLASSES, REGIONS, region, regions_of
from glioseg.scan_facts import ScanFacts
from glioseg.split.models import scored_subjects, training_subjects

# Voxels drawn from each training subject and class: enough for four intensities, little enough for seconds.
_VOXELS_PER_CLASS = 2000
_THRESHOLDS = 400


def held_out_groups(cohort: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Pairs (training subjects, scored subjects) of a cohort table, the same as the network's.

    The test group is scored by all other taken subjects with a mask; each cross-validation fold by the other folds.
    Yields nothing for a cohort without held-out subjects.
    """
    rows = read_table(cohort, ("subject", "fold", "has_mask"))
    fold_of = {row["subject"]: row["fold"] for row in rows}
    groups: dict[str, list[str]] = {}
    for subject in scored_subjects(rows):
        groups.setdefault(fold_of[subject], []).append(subject)
    for fold, scored in sorted(groups.items()):
        yield training_subjects(rows, fold), scored


def read_voxels(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """Intensities (float32, voxels x modalities) and classes (uint8) of the brain of a preprocessed subject.

    Also returns the voxels of each class that there are to find (see `class_sizes`) and what scan.json holds.
    """
    image, mask = read_sample(folder)
    scan = read_json(folder / "scan.json")
    brain = (image != 0).any(axis=-1)
    return image[brain].astype(np.float32), mask[brain], class_sizes(mask, scan), scan


def class_sizes(mask: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """Voxels (of the preprocessed grid) of each class in the whole scan, as a network is scored; background unused.

    So what lies outside the brain or was cut off by the crop counts as missed. Exact at the scan's own spacing;
    where a scan was resampled, a class is as large as the mask says unless the crop cut tumor off.
    """
    sizes = np.bincount(mask.ravel(), minlength=len(CLASSES))
    if scan["tumor_voxels_lost"] or scan["spacing_mm"] == scan["target_spacing_mm"]:
        ratio = np.prod(scan["spacing_mm"]) / np.prod(scan["target_spacing_mm"])
        for name, voxels in scan["classes"].items():
            index = CLASSES.index(name)
            sizes[index] = max(sizes[index], round(voxels * ratio))
    return sizes


def best_threshold(flair: list[np.ndarray], whole: list[np.ndarray], truth: list[int]) -> tuple[float, list[float]]:
    """The one FLAIR threshold with the highest mean Dice of the whole tumor, and that Dice of each subject.

    It is chosen on the very subjects it is scored on, so it is an upper bound of what any threshold reaches.
    `flair` and `whole` (bool) hold one value per brain voxel, `truth` the tumor's voxels, for each subject.
    """
    sample = np.concatenate([values[::50] for values in flair])
    thresholds = np.unique(np.quantile(sample, np.linspace(0.5, 1, _THRESHOLDS)))
    scores = np.empty((len(flair), len(thresholds)))
    for row, values, tumor, size in zip(scores, flair, whole, truth, strict=True):
        ordered, ordered_tumor = np.sort(values), np.sort(values[tumor])
        above = len(ordered) - np.searchsorted(ordered, thresholds)
        common = len(ordered_tumor) - np.searchsorted(ordered_tumor, thresholds)
        row[:] = [dice_of_sizes(size, int(a), int(c)) for a, c in zip(above, common, strict=True)]
    best = int(scores.mean(axis=0).argmax())
    return float(thresholds[best]), scores[:, best].tolist()


def fit_classifier(voxels: list[tuple[np.ndarray, np.ndarray]], seed: int) -> HistGradientBoostingClassifier:
    """Gradient-boosted trees from a voxel's intensities to its class, fitted to a sample of (intensities, classes).

    The same number of voxels is drawn of every class, and weighed by the square root of what each stands for: without
    weights the trees would call far too much tumor, with full weights far too little.
    """
    rng = np.random.default_rng(seed)
    features, targets, weights = [], [], []
    for intensities, classes in voxels:
        for label in range(len(CLASSES)):
            places = np.flatnonzero(classes == label)
            if not len(places):
                continue
            drawn = rng.choice(places, min(len(places), _VOXELS_PER_CLASS), replace=False)
            features.append(intensities[drawn])
            targets.append(np.full(len(drawn), label))
            weights.append(np.full(len(drawn), np.sqrt(len(places) / len(drawn))))
    if not features:
        raise ValueError("the voxel-wise classifier has no training subjects with a mask: hold out fewer subjects")
    # Faster learning than 0.2 diverges where classes separate cleanly: their second derivatives vanish.
    trees = HistGradientBoostingClassifier(
        max_iter=24, learning_rate=0.2, max_leaf_nodes=31, early_stopping=False, random_state=seed
    )
    return trees.fit(np.concatenate(features), np.concatenate(targets), np.concatenate(weights))


def score_baselines(cohort: Path, preprocess: Path, seed: int) -> list[dict[str, str]]:
    """Rows of `BASELINE_COLUMNS` with the Dice of both baselines for every held-out subject of a cohort table.

    The regions of a subject are those of its labels. The threshold is scored on WT only, and leaves out who has no
    FLAIR. No held-out subjects: no rows.
    """
    rows = []
    for training, scored in held_out_groups(cohort):
        trees = fit_classifier([read_voxels(preprocess / subject)[:2] for subject in training], seed)
        flair, whole, truth = {}, [], []
        for subject in scored:
            intensities, classes, sizes, scan = read_voxels(preprocess / subject)
            predicted = trees.predict(intensities)
            there = {name: int(sizes[np.isin(CLASSES, REGIONS[name])].sum()) for name in REGIONS}
            for name in regions_of([scan["labels"]]):
                ours, theirs = region(predicted, name), region(classes, name)
                overlap = dice_of_sizes(there[name], int(ours.sum()), int((ours & theirs).sum()))
                rows.append(("voxel-wise classifier", subject, name, overlap))
            if "flair" in scan["modalities"] and "flair" not in scan["missing_modalities"]:
                flair[subject] = intensities[:, scan["modalities"].index("flair")]
                whole.append(region(classes, "WT"))
                truth.append(there["WT"])
        if flair:
            _, scores = best_threshold(list(flair.values()), whole, truth)
            rows += [("FLAIR threshold", subject, "WT", score) for subject, score in zip(flair, scores, strict=True)]
    return [
        dict(zip(BASELINE_COLUMNS, (method, subject, name, f"{score:.6f}"), strict=True))
        for method, subject, name, score in sorted(rows, key=lambda row: row[0] != "FLAIR threshold")
    ]
