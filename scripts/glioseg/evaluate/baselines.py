"""Two baselines to compare a network with: a FLAIR threshold, and a voxel-wise classifier."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from glioseg.evaluate.measures import dice_of_sizes
from glioseg.evaluate.summary import BASELINE_COLUMNS
from glioseg.files import read_json, read_sample, read_table
from glioseg.labels import CLASSES, REGIONS, region, regions_of
from glioseg.scan_facts import ScanFacts
from glioseg.split.models import scored_subjects, training_subjects

# Voxels drawn from each training subject and class: enough for four intensities, and few enough to fit in seconds.
_VOXELS_PER_CLASS = 2000
_THRESHOLDS = 400


def held_out_groups(cohort: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Yield pairs (training subjects, scored subjects) of a cohort table, the same as the network's.

    For the test group, the training subjects are all other included subjects with a mask; for each cross-validation
    fold, those of the other folds. Yields nothing for a cohort without held-out subjects.
    """
    rows = read_table(cohort, ("subject", "fold", "has_mask"))
    fold_of = {row["subject"]: row["fold"] for row in rows}
    groups: dict[str, list[str]] = {}
    for subject in scored_subjects(rows):
        groups.setdefault(fold_of[subject], []).append(subject)
    for fold, scored in sorted(groups.items()):
        yield training_subjects(rows, fold), scored


def read_voxels(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict]:
    """Return intensities (float32, voxels x modalities) and classes (uint8) of the brain of a preprocessed subject.

    Also returns the true number of voxels of each class (see `class_sizes`) and the content of scan.json.
    """
    image, mask = read_sample(folder)
    scan = read_json(folder / "scan.json")
    brain = (image != 0).any(axis=-1)
    return image[brain].astype(np.float32), mask[brain], class_sizes(mask, scan), scan


def class_sizes(mask: np.ndarray, scan: ScanFacts) -> np.ndarray:
    """Return the number of voxels (on the preprocessed grid) of each class in the whole scan; background is unused.

    Tumor outside the brain or the crop thus counts as false negative, as in a network's scores. The numbers are exact
    at the scan's own spacing. In a resampled scan, they are those of the preprocessed mask unless the crop cut off
    tumor.
    """
    sizes = np.bincount(mask.ravel(), minlength=len(CLASSES))
    if scan["tumor_voxels_lost"] or scan["spacing_mm"] == scan["target_spacing_mm"]:
        ratio = np.prod(scan["spacing_mm"]) / np.prod(scan["target_spacing_mm"])
        for name, voxels in scan["classes"].items():
            index = CLASSES.index(name)
            sizes[index] = max(sizes[index], round(voxels * ratio))
    return sizes


def best_threshold(flair: list[np.ndarray], whole: list[np.ndarray], truth: list[int]) -> tuple[float, list[float]]:
    """Return the FLAIR threshold with the highest mean Dice of the whole tumor, and each subject's Dice with it.

    The threshold is chosen on the subjects that it is scored on, so the Dice is an upper bound for any threshold.
    For each subject, `flair` and `whole` (bool) hold one value per brain voxel, and `truth` the tumor's voxel count.
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
    """Fit gradient-boosted trees that predict a voxel's class from its intensities.

    voxels: (intensities, classes) of each subject. At most `_VOXELS_PER_CLASS` are drawn per subject and class. Each is
    weighted by the square root of the number of voxels that it represents: without weights the trees predict far too
    much tumor, with full weights far too little. Raises ValueError if there are no voxels.
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
        raise ValueError("the voxel-wise classifier has no training subjects with a mask; hold out fewer subjects")
    # A rate above 0.2 diverges where classes separate cleanly, because the second derivatives vanish.
    trees = HistGradientBoostingClassifier(
        max_iter=24, learning_rate=0.2, max_leaf_nodes=31, early_stopping=False, random_state=seed
    )
    return trees.fit(np.concatenate(features), np.concatenate(targets), np.concatenate(weights))


def score_baselines(cohort: Path, preprocess: Path, seed: int) -> list[dict[str, str]]:
    """Return rows of `BASELINE_COLUMNS` with the Dice of both baselines for every held-out subject of a cohort table.

    The regions of a subject are those of its label dialect. The threshold is scored on WT only, and only for subjects
    with FLAIR. Without held-out subjects, there are no rows.
    """
    rows = []
    for training, scored in held_out_groups(cohort):
        trees = fit_classifier([read_voxels(preprocess / subject)[:2] for subject in training], seed)
        flair, whole, truth = {}, [], []
        for subject in scored:
            intensities, classes, sizes, scan = read_voxels(preprocess / subject)
            predicted = trees.predict(intensities)
            true_sizes = {name: int(sizes[np.isin(CLASSES, REGIONS[name])].sum()) for name in REGIONS}
            for name in regions_of([scan["labels"]]):
                prediction, mask = region(predicted, name), region(classes, name)
                overlap = dice_of_sizes(true_sizes[name], int(prediction.sum()), int((prediction & mask).sum()))
                rows.append(("voxel-wise classifier", subject, name, overlap))
            if "flair" in scan["modalities"] and "flair" not in scan["missing_modalities"]:
                flair[subject] = intensities[:, scan["modalities"].index("flair")]
                whole.append(region(classes, "WT"))
                truth.append(true_sizes["WT"])
        if flair:
            _, scores = best_threshold(list(flair.values()), whole, truth)
            rows += [("FLAIR threshold", subject, "WT", score) for subject, score in zip(flair, scores, strict=True)]
    return [
        dict(zip(BASELINE_COLUMNS, (method, subject, name, f"{score:.6f}"), strict=True))
        for method, subject, name, score in sorted(rows, key=lambda row: row[0] != "FLAIR threshold")
    ]
