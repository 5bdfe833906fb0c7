"""Balanced assignment of patients to a test set and to cross-validation folds."""

from itertools import pairwise

import numpy as np


def assign_folds(
    volumes_ml: dict[str, float], enhancing_ml: dict[str, float], folds: int, test_percent: float, seed: int
) -> dict[str, str]:
    """Patient -> "test", or its fold "0".."folds-1"; "train" instead of a fold if there is only one.

    The assignment is stratified: patients are sorted by presence of enhancing tumor and then by tumor volume (ml), and
    each group of neighbors in this order is distributed at random among the folds, so that folds are similar in both.
    The test set is rounded to whole patients and leaves at least one patient for training.
    Raises ValueError if fewer patients than folds, or none, remain outside the test set.
    """
    subjects = sorted(volumes_ml, key=lambda name: (enhancing_ml[name] > 0, volumes_ml[name], name))
    if not subjects:
        raise ValueError(
            "split: no usable subject has a mask, so there is nothing to train on; add subjects with masks, or predict "
            "these scans with a finished model: python scripts/segment.py (docs/one-scan.md)"
        )
    tested = min(round(len(subjects) * test_percent / 100), len(subjects) - 1)
    if len(subjects) - max(tested, 0) < max(folds, 1):
        raise ValueError(
            f"split: {len(subjects)} usable patients with masks are too few for {folds} fold{'s' * (folds != 1)} and "
            f"{test_percent:g} % held out; lower split: folds or test_percent, or add patients"
        )
    random = np.random.default_rng(seed)
    # Systematic sampling: one test subject from each of `tested` equal intervals of the sorted subjects.
    edges = np.linspace(0, len(subjects), tested + 1).astype(int)
    test = {subjects[random.integers(low, high)] for low, high in pairwise(edges)}
    rest = [name for name in subjects if name not in test]
    assigned = dict.fromkeys(test, "test")
    for start in range(0, len(rest), folds):
        for name, fold in zip(rest[start : start + folds], random.permutation(folds), strict=False):
            assigned[name] = "train" if folds == 1 else str(fold)
    return assigned
