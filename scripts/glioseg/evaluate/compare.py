"""Compare the Dice of runs on the same subjects."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, product
from operator import itemgetter
from string import ascii_uppercase

import numpy as np
from scipy.stats import wilcoxon

from glioseg.evaluate.score_table import MEAN, TABLE_ORDER, aligned
from glioseg.evaluate.summary import bootstrap_interval
from glioseg.labels import EVERYWHERE

COMPARISON_COLUMNS = (
    *("run", "region", "n", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "p", "n_worse", "worse"),
)
WORSE = 0.05  # a subject that loses more Dice than this counts as worse


def dice_of(rows: Iterable[dict], method: str) -> dict[str, dict[str, float]]:
    """Return subject -> region -> Dice by a method, with the mean of WT, TC and ET, from the rows of subjects.tsv.

    Tissue classes are left out. Raises ValueError listing the known methods if the method has no scores.
    """
    found, known = {}, set()
    for row in rows:
        known.add(row["method"])
        if (row["method"], row["metric"]) == (method, "dice") and row["region"] in TABLE_ORDER:
            found.setdefault(row["subject"], {})[row["region"]] = float(row["value"])
    if not found:
        raise ValueError(f"expected Dice by {method!r}, found scores by {', '.join(sorted(known)) or 'no method'}")
    for of_regions in found.values():
        if set(EVERYWHERE) <= set(of_regions):
            of_regions[MEAN] = float(np.mean([of_regions[region] for region in EVERYWHERE]))
    return found


def lettered(runs: Sequence) -> dict:
    """Return runs by letter: A, B, C, …. Raises ValueError unless there are 2 to 26."""
    if not 2 <= len(runs) <= len(ascii_uppercase):
        raise ValueError(
            f"expected 2 to {len(ascii_uppercase)} runs to compare, found {len(runs)}; give the results folder "
            "of each, or several methods of one"
        )
    return dict(zip(ascii_uppercase, runs, strict=False))


def common_subjects(runs: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the subjects of all runs, sorted. runs: name -> subject -> scores. Raises ValueError if there are none."""
    common = sorted(set.intersection(*map(set, runs.values())))
    if not common:
        counts = ", ".join(f"{name}: {len(run)}" for name, run in runs.items())
        raise ValueError(f"the runs have no subject in common ({counts}); use runs of the same data")
    return common


def left_out(runs: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return a sentence for each run with subjects that other runs lack, which are not compared."""
    common, sentences = set(common_subjects(runs)), []
    for name, run in runs.items():
        if more := sorted(set(run) - common):
            listed = " ".join(more[:10]) + (", …" if len(more) > 10 else "")
            sentences.append(f"Left out of {name}, because not every run scored them: {len(more)} ({listed})")
    return sentences


def compare_dice(
    runs: Mapping[str, dict[str, dict[str, float]]],
    resamples: int,
    seed: int,
    patients: Mapping[str, str] | None = None,
) -> list[dict]:
    """Return a row of `COMPARISON_COLUMNS` for each run but the first, A, and each region.

    runs: name -> the result of `dice_of`; only subjects that all runs scored count. patients: subject -> patient, whose
    visits the bootstrap draws together; without it, each subject is a patient of its own. difference is the mean of the
    run minus A, with its 95 % bootstrap interval. p is from Wilcoxon's two-sided signed-rank test (1945,
    doi:10.2307/3001968), 1 if no subject differs. worse lists the subjects that lost more than `WORSE`, the largest
    loss first. Raises ValueError if the runs share no subject.
    """
    common, (a, *others), rows = common_subjects(runs), runs, []
    for other, region in product(others, TABLE_ORDER):
        both = runs[a], runs[other]
        subjects = [name for name in common if all(region in run[name] for run in both)]
        if not subjects:
            continue
        of_a, of_b = (np.array([run[name][region] for name in subjects]) for run in both)
        change = of_b - of_a
        p = float(wilcoxon(change).pvalue) if change.any() else 1.0
        worse = [subjects[place] for place in np.argsort(change, kind="stable") if change[place] < -WORSE]
        interval = bootstrap_interval(change, resamples, seed, [(patients or {}).get(name, name) for name in subjects])
        means = (float(of_a.mean()), float(of_b.mean()), float(change.mean()))
        row = (other, region, len(subjects), *means, *interval, p, len(worse), " ".join(worse))
        rows.append(dict(zip(COMPARISON_COLUMNS, row, strict=True)))
    return rows


def comparison_table(rows: Iterable[dict]) -> str:
    """Return the rows of `compare_dice` as an aligned text table for each run, followed by its worse subjects."""
    tables = []
    for name, of_run in groupby(rows, key=itemgetter("run")):
        of_run = list(of_run)
        lines = [("Dice", "subjects", "A", name, f"{name} - A", "95 % interval", "p", "worse")]
        for row in of_run:
            interval = f"[{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"
            scores = f"{row['mean_a']:.3f}", f"{row['mean_b']:.3f}", f"{row['difference']:+.3f}"
            lines.append((row["region"], str(row["n"]), *scores, interval, f"{row['p']:.3g}", str(row["n_worse"])))
        text = aligned(lines)
        text += [f"Worse by more than {WORSE} in {row['region']}: {row['worse']}" for row in of_run if row["worse"]]
        tables.append("\n".join(text))
    return "\n\n".join(tables)
