"""What a network has to beat: one FLAIR threshold, and a classifier that sees single voxels."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from glioseg.cohort import scored_subjects, training_subjects
from glioseg.labels import CLASSES, REGIONS, region
from glioseg.metrics import dice_of_sizes
from glioseg.outputs import read_table
from glioseg.summary import BASELINE_COLUMNS

# Voxels drawn from each training subject and class: enough for four intensities, little enough for seconds.
_VOXELS_PER_CLASS = 2000
_THRESHOLDS = 400


def held_out_groups(cohort: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Pairs (training subjects, scored subjects) of a cohort table, the same as the network's.

    The test group is scored by all other taken subjects with a mask; each cross-validation fold by the other folds.
    Yields nothing for a cohort without held-out subjects.
    """
    rows = read_table(cohort, ("subject", "fold"))
    fold_of = {row["subject"]: row["fold"] for row in rows}
    groups: dict[str, list[str]] = {}
    for subject in scored_subjects(rows):
        groups.setdefault(fold_of[subject], []).append(subject)
    for fold, scored in sorted(groups.items()):
        yield training_subjects(rows, fold), scored


def read_voxels(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Intensities (float32, voxels x modalities) and classes (uint8) of the brain of a preprocessed subject.

    Also returns the number of tumor voxels per class (outside the brain too, where nothing can be predicted; index 0
    unused) and the modalities' names.
    """
    image, mask = np.load(folder / "image.npy", mmap_mode="r"), np.load(folder / "mask.npy")
    brain = (image != 0).any(axis=-1)
    modalities = json.loads((folder / "scan.json").read_text())["modalities"]
    return image[brain].astype(np.float32), mask[brain], np.bincount(mask.ravel(), minlength=len(CLASSES)), modalities


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

    The threshold is scored on WT only, and left out where there is no FLAIR. No held-out subjects: no rows.
    """
    rows = []
    for training, scored in held_out_groups(cohort):
        trees = fit_classifier([read_voxels(preprocess / subject)[:2] for subject in training], seed)
        flair, whole, truth = [], [], []
        for subject in scored:
            intensities, classes, sizes, modalities = read_voxels(preprocess / subject)
            predicted = trees.predict(intensities)
            for name in REGIONS:
                ours, theirs = region(predicted, name), region(classes, name)
                size = sum(int(sizes[CLASSES.index(tissue)]) for tissue in REGIONS[name])
                overlap = dice_of_sizes(size, int(ours.sum()), int((ours & theirs).sum()))
                rows.append(("voxel-wise classifier", subject, name, overlap))
            if "flair" in modalities:
                flair.append(intensities[:, modalities.index("flair")])
                whole.append(region(classes, "WT"))
                truth.append(int(sizes[1:].sum()))
        if flair:
            _, scores = best_threshold(flair, whole, truth)
            rows += [("FLAIR threshold", subject, "WT", score) for subject, score in zip(scored, scores, strict=True)]
    return [
        dict(zip(BASELINE_COLUMNS, (method, subject, name, f"{score:.6f}"), strict=True))
        for method, subject, name, score in sorted(rows, key=lambda row: row[0] != "FLAIR threshold")
    ]
