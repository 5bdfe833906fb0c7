"""Summarize the scores of single subjects for each method, with bootstrap intervals of the mean."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from glioseg.evaluate.metrics import CLASS_METRICS, METRIC_NAMES, METRICS
from glioseg.evaluate.score_table import MEAN, NETWORK, TABLE_ORDER
from glioseg.labels import CLASSES, EVERYWHERE, classes_of, regions_of
from glioseg.split.models import scored_subjects

# What the values in the column metric mean.
METRIC_LEVELS = {"metric": {"Levels": METRIC_NAMES}}
SCORED_COLUMNS = ("subject", "patient", "fold", "has_mask", "labels", "tumor_ml", "enhancing_ml")  # of a cohort table
BASELINE_COLUMNS = ("method", "subject", "region", "dice")
SUBJECT_COLUMNS = ("method", "subject", "patient", "fold", "region", "metric", "value")
STATISTICS = ("n", "patients", "mean", "median", "q1", "q3", "ci_low", "ci_high")
# What is read of the output of evaluate.
READ = ("subject", "regions", "classes", "lesions", "confusion", "calibration", "uncalibrated", "contradictions")
# Absent regions are scored as in BraTS 2020. The present_ columns repeat each number for regions present in the truth.
SCORE_COLUMNS = ("method", "region", "metric", *STATISTICS)
PRESENT_COLUMNS = tuple(f"present_{name}" for name in STATISTICS)


def read_scores(path: Path) -> dict:
    """Read one subject's scores as `evaluate` writes them. Raises ValueError naming the file if it is unusable."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
        return {name: scores[name] for name in READ}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: expected one subject's scores ({error!r}); evaluate it again") from error


def collect_scores(folder: Path, cohort: Iterable[dict]) -> tuple[list[dict], list[str]]:
    """Return the scores of all subjects that a cohort scores, and the names of failed subjects, which have no file.

    A failed subject gets `worst_scores`. folder: the output of `evaluate`; cohort: rows with `SCORED_COLUMNS`. Raises
    ValueError if no subject has a file.
    """
    rows, files = {row["subject"]: row for row in cohort}, {}
    for subject in scored_subjects(list(rows.values())):
        files[subject] = folder / f"{subject}.json"
    failed = [subject for subject, path in files.items() if not path.exists()]
    if failed and len(failed) == len(files):
        raise ValueError(f"{folder}: expected a JSON file per subject ({len(files)}), found none; evaluate them first")
    scores = [read_scores(path) if path.exists() else worst_scores(rows[name]) for name, path in files.items()]
    return scores, failed


def worst_scores(row: dict) -> dict:
    """Return the worst possible scores, in the format of `evaluate`, for a subject that could not be predicted.

    row: the subject's row with `SCORED_COLUMNS`, which has the true volumes of WT and ET. The predicted volumes are 0;
    metrics whose worst score is unknown are left out.
    """
    known = {name: metric.failed for name, metric in METRICS.items() if metric.failed is not None}
    regions = {name: {**known, "predicted_ml": 0.0} for name in regions_of([row["labels"]])}
    for name, column in (("WT", "tumor_ml"), ("ET", "enhancing_ml")):
        regions[name]["truth_ml"] = float(row[column])
    classes = {name: {metric: known[metric] for metric in CLASS_METRICS} for name in classes_of([row["labels"]])[1:]}
    nothing = {"lesions": {}, "confusion": {}, "calibration": {}, "uncalibrated": {}}
    nothing["contradictions"] = {}
    return {"subject": row["subject"], "regions": regions, "classes": classes, **nothing}


def subject_rows(
    evaluations: Iterable[dict],
    baseline: Iterable[dict],
    folds: dict[str, str],
    patients: Mapping[str, str] | None = None,
) -> list[dict]:
    """Return one row per method, subject, region and metric, in the given order: first the network, then the baselines.

    evaluations: the output of `evaluate`; baseline: rows of method, subject, region, dice; folds: subject -> fold;
    patients: subject -> patient; without it, each subject is a patient of its own. The network's rows also include
    both volumes (truth_ml, predicted_ml), and list its tissue classes as regions. No scores: no rows. Raises ValueError
    naming a subject that is not in the cohort, is not held out, or is given twice.
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
                f"make the scores of {method} and the cohort again from the same split"
            )
        if (method, subject, region, metric) in seen:
            raise ValueError(f"{subject}: {metric} of {region} by {method} is given twice; give each subject once")
        patient = (patients or {}).get(subject, subject)
        seen.add((method, subject, region, metric))
        rows.append(dict(zip(SUBJECT_COLUMNS, (method, subject, patient, fold, region, metric, value), strict=True)))
    return rows


def summarize_scores(rows: Iterable[dict], resamples: int, seed: int) -> list[dict]:
    """Return `STATISTICS` for every method, region or class, and metric of `subject_rows`, in two versions.

    A method with WT, TC and ET also has the region "mean". A region that only some data sets have is summarized over
    the subjects with a value. The second version, the columns present_…, leaves out regions that are absent from the
    truth of a subject, also from its "mean"; a region of unknown volume counts as present. The intervals resample
    patients with all their visits. No rows: [].
    Raises ValueError naming a subject that lacks WT, TC or ET if other subjects of the method have it.
    """
    values: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    absent, patient_of = set(), {}
    for row in rows:
        patient_of[row["subject"]] = row["patient"]
        if row["metric"] in METRICS:
            of_method = values.setdefault((row["method"], row["metric"]), {})
            of_method.setdefault(row["subject"], {})[row["region"]] = float(row["value"])
        elif row["metric"] == "truth_ml" and float(row["value"]) == 0:
            absent.add((row["subject"], row["region"]))
    scores = []
    for (method, metric), of_method in values.items():
        # A baseline may have fewer of the three regions than a network, but the same ones for each subject.
        known = [region for region in EVERYWHERE if any(region in found for found in of_method.values())]
        for subject, found in of_method.items():
            if not set(known) <= set(found):
                expected, given = ", ".join(known), ", ".join(found)
                raise ValueError(f"{subject}: expected {metric} of {expected} by {method}, found only {given}")
        # Sorted, so that the resamples do not depend on the order of the files.
        every = {subject: _with_mean(of_method[subject], known) for subject in sorted(of_method)}
        present = {
            subject: _with_mean({name: of[name] for name in of if (subject, name) not in absent}, known)
            for subject, of in sorted(of_method.items())
        }
        for region in (*TABLE_ORDER, *CLASSES[1:]):
            columns = [{name: of[region] for name, of in some.items() if region in of} for some in (every, present)]
            if columns[0]:
                numbers = [number for column in columns for number in _statistics(column, patient_of, resamples, seed)]
                row = (method, region, metric, *numbers)
                scores.append(dict(zip((*SCORE_COLUMNS, *PRESENT_COLUMNS), row, strict=True)))
    return scores


def _with_mean(of_regions: dict[str, float], known: list[str]) -> dict[str, float]:
    """Return a subject's scores with their mean, if its method has all three regions and the subject has any."""
    three = [of_regions[region] for region in EVERYWHERE if region in of_regions]
    return {**of_regions, MEAN: float(np.mean(three))} if known == list(EVERYWHERE) and three else of_regions


def _statistics(
    of_subjects: Mapping[str, float], patient_of: Mapping[str, str], resamples: int, seed: int
) -> tuple[float, ...]:
    """Return `STATISTICS` of values by subject, with linearly interpolated quartiles; NaN if there are too few."""
    if not of_subjects:
        return (0, 0, *[float("nan")] * 6)
    values, patients = list(of_subjects.values()), [patient_of[subject] for subject in of_subjects]
    q1, median, q3 = np.percentile(values, [25, 50, 75]).tolist()
    interval = bootstrap_interval(np.array(values), resamples, seed, patients)
    return len(values), len(set(patients)), float(np.mean(values)), median, q1, q3, *interval


def bootstrap_interval(
    values: np.ndarray, resamples: int, seed: int, patients: Sequence[str] | None = None
) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean of values (n,), by drawing patients with replacement.

    Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13. patients: the patient of each value, whose
    values are drawn together; without it, each value is of another patient. Two calls with the same number of patients
    and the same seed draw the same patients, so that methods are compared on the same resamples. Fewer than two
    patients: NaN, since their spread is unknown.
    """
    # Numbered in the order of their first values.
    numbers: dict[object, int] = {}
    number = [numbers.setdefault(patient, len(numbers)) for patient in patients or range(len(values))]
    if len(numbers) < 2:
        return float("nan"), float("nan")
    sums, visits = np.bincount(number, values), np.bincount(number)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    means = sums[drawn].sum(axis=1) / visits[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5]).tolist()
    return low, high


def _number(row: dict, column: str) -> float:
    try:
        return float(row[column])
    except (TypeError, ValueError):
        where = f"{row['method']} in {row['region']}"
        raise ValueError(f"{row['subject']}: expected a number as {column} of {where}, found {row[column]!r}") from None
