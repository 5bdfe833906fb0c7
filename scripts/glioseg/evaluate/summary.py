"""From scores of single subjects to the scores of a method, with the uncertainty that few subjects leave."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from glioseg.evaluate.metrics import CLASS_METRICS, METRICS
from glioseg.evaluate.score_table import MEAN, NETWORK, TABLE_ORDER
from glioseg.labels import CLASSES, EVERYWHERE, classes_of, regions_of
from glioseg.split.models import scored_subjects

SCORED_COLUMNS = ("subject", "fold", "has_mask", "labels", "tumor_ml", "enhancing_ml")  # of a cohort's table
BASELINE_COLUMNS = ("method", "subject", "region", "dice")
SUBJECT_COLUMNS = ("method", "subject", "fold", "region", "metric", "value")
STATISTICS = ("n", "mean", "median", "q1", "q3", "ci_low", "ci_high")
# Absent regions are scored as in BraTS 2020; beside each number, the same over those regions that the truth has.
SCORE_COLUMNS = ("method", "region", "metric", *STATISTICS)
PRESENT_COLUMNS = tuple(f"present_{name}" for name in STATISTICS)


def read_scores(path: Path) -> dict:
    """One subject's scores as `evaluate` writes them. Raises ValueError naming the file that holds no such thing."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        return {name: scores[name] for name in ("subject", "regions", "classes", "calibration")}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: expected one subject's scores ({error!r}); evaluate it anew") from error


def collect_scores(folder: Path, cohort: Iterable[dict]) -> tuple[list[dict], list[str]]:
    """The scores of all whom a cohort scores, `worst_scores` where one has no file, and the names of those.

    folder: that of `evaluate`; cohort: rows with `SCORED_COLUMNS`. Raises ValueError where nobody has a file.
    """
    rows, files = {row["subject"]: row for row in cohort}, {}
    for subject in scored_subjects(list(rows.values())):
        files[subject] = folder / f"{subject}.json"
    failed = [subject for subject, path in files.items() if not path.exists()]
    if failed and len(failed) == len(files):
        raise ValueError(f"{folder}: expected the scores of {len(files)} subjects, found none; evaluate them first")
    scores = [read_scores(path) if path.exists() else worst_scores(rows[name]) for name, path in files.items()]
    return scores, failed


def worst_scores(row: dict) -> dict:
    """The worst scores that there are, as `evaluate` writes scores: of a subject that could not be predicted.

    row: the subject's, with `SCORED_COLUMNS`; the volumes there are those of WT and ET. Nothing was predicted.
    """
    known = {name: metric.failed for name, metric in METRICS.items() if metric.failed is not None}
    regions = {name: {**known, "predicted_ml": 0.0} for name in regions_of([row["labels"]])}
    for name, column in (("WT", "tumor_ml"), ("ET", "enhancing_ml")):
        regions[name]["truth_ml"] = float(row[column])
    classes = {name: {metric: known[metric] for metric in CLASS_METRICS} for name in classes_of([row["labels"]])[1:]}
    return {"subject": row["subject"], "regions": regions, "classes": classes, "calibration": {}}


def subject_rows(evaluations: Iterable[dict], baseline: Iterable[dict], folds: dict[str, str]) -> list[dict]:
    """One row for every method, subject, region and metric, in the order given: the network's, then the baselines'.

    evaluations: what `evaluate` writes; baseline: rows of method, subject, region, dice; folds: subject -> fold.
    The network's rows also hold both volumes (truth_ml, predicted_ml); a tissue class stands for a region too. Nothing
    evaluated: no rows.
    Raises ValueError naming a subject that the cohort lacks, that no fold holds out, or that stands there twice.
    """
    scored = [
        (NETWORK, scores["subject"], region, metric, value)
        for scores in evaluations
        for region, metrics in (scores["regions"] | scores["classes"]).items()
        for metric, value in metrics.items()
    ]
    scored += [(row["method"], row["subject"], row["region"], "dice", _number(row, "dice")) for row in baseline]
    rows, seen = [], set()
    for method, subject, region, metric, value in scored:
        fold = folds.get(subject)
        if fold != "test" and not (fold or "").isdigit():
            found = "no such subject" if fold is None else f"the fold {fold!r}"
            raise ValueError(
                f"{subject}: expected a subject that the cohort holds out (fold test, 0, 1, …), found {found}; "
                f"make the scores of {method} and the cohort anew, from one split"
            )
        if (method, subject, region, metric) in seen:
            raise ValueError(f"{subject}: {metric} of {region} by {method} is given twice; give each subject once")
        seen.add((method, subject, region, metric))
        rows.append(dict(zip(SUBJECT_COLUMNS, (method, subject, fold, region, metric, value), strict=True)))
    return rows


def summarize_scores(rows: Iterable[dict], resamples: int, seed: int) -> list[dict]:
    """`STATISTICS` of every method, region or class, and metric of `subject_rows`, by both conventions.

    The regions are those that there are rows of and, of a method that knows WT, TC and ET, "mean". What only some data
    sets have is summarized over the subjects that have a value. The columns present_… leave out every region that the
    truth of its subject lacks, also from "mean"; where its volume is not known it counts as there. No rows: none.
    Raises ValueError naming a subject that lacks WT, TC or ET where its method knows it.
    """
    values: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    absent = set()
    for row in rows:
        if row["metric"] in METRICS:
            of_method = values.setdefault((row["method"], row["metric"]), {})
            of_method.setdefault(row["subject"], {})[row["region"]] = float(row["value"])
        elif row["metric"] == "truth_ml" and float(row["value"]) == 0:
            absent.add((row["subject"], row["region"]))
    scores = []
    for (method, metric), of_method in values.items():
        # A baseline may know fewer of the three than a network, but the same ones of each subject.
        known = [region for region in EVERYWHERE if any(region in found for found in of_method.values())]
        for subject, found in of_method.items():
            if not set(known) <= set(found):
                expected, there = ", ".join(known), ", ".join(found)
                raise ValueError(f"{subject}: expected {metric} of {expected} by {method}, found that of {there}")
        # Sorted, so that the resamples do not hang on the order in which files were named.
        every = [_with_mean(of_method[subject], known) for subject in sorted(of_method)]
        present = [
            _with_mean({name: of[name] for name in of if (subject, name) not in absent}, known)
            for subject, of in sorted(of_method.items())
        ]
        for region in (*TABLE_ORDER, *CLASSES[1:]):
            columns = [[found[region] for found in some if region in found] for some in (every, present)]
            if columns[0]:
                numbers = [number for column in columns for number in _statistics(column, resamples, seed)]
                row = (method, region, metric, *numbers)
                scores.append(dict(zip((*SCORE_COLUMNS, *PRESENT_COLUMNS), row, strict=True)))
    return scores


def _with_mean(of_regions: dict[str, float], known: list[str]) -> dict[str, float]:
    """A subject's scores with their mean, of a method that knows all three regions and a subject that has any."""
    three = [of_regions[region] for region in EVERYWHERE if region in of_regions]
    return {**of_regions, MEAN: float(np.mean(three))} if known == list(EVERYWHERE) and three else of_regions


def _statistics(values: list[float], resamples: int, seed: int) -> tuple[float, ...]:
    """`STATISTICS` of values, quartiles interpolated linearly; NaN where there are too few."""
    if not values:
        return (0, *[float("nan")] * 6)
    q1, median, q3 = np.percentile(values, [25, 50, 75]).tolist()
    return len(values), float(np.mean(values)), median, q1, q3, *bootstrap_interval(np.array(values), resamples, seed)


def bootstrap_interval(values: np.ndarray, resamples: int, seed: int) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of values (n,), by drawing subjects with replacement.

    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13. Two calls of one length and seed draw the
    same subjects, so that methods are compared on the same resamples. Fewer than two values: NaN, as nothing is
    known of their spread.
    """
    if len(values) < 2:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5]).tolist()
    return low, high


def _number(row: dict, column: str) -> float:
    try:
        return float(row[column])
    except (TypeError, ValueError):
        where = f"{row['method']} in {row['region']}"
        raise ValueError(f"{row['subject']}: expected a number as {column} of {where}, found {row[column]!r}") from None
