"""Compare the scores of two runs on the same subjects."""

from collections.abc import Iterable, Mapping

import numpy as np
from scipy.stats import wilcoxon

from glioseg.evaluate.score_table import MEAN, TABLE_ORDER, aligned
from glioseg.evaluate.summary import bootstrap_interval
from glioseg.labels import EVERYWHERE

COMPARISON_COLUMNS = ("region", "n", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "p", "n_worse", "worse")
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


def compare_dice(
    a: dict[str, dict[str, float]],
    b: dict[str, dict[str, float]],
    resamples: int,
    seed: int,
    patients: Mapping[str, str] | None = None,
) -> list[dict]:
    """Return a row of `COMPARISON_COLUMNS` for each region, over the subjects that both runs scored.

    a, b: the results of `dice_of` for both runs. patients: subject -> patient, whose visits the bootstrap draws
    together; without it, each subject is a patient of its own. difference is the mean of b - a, with its 95 %
    bootstrap interval. p is from Wilcoxon's two-sided signed-rank test (1945, doi:10.2307/3001968), 1 if no subject
    differs. worse lists the subjects that lost more than `WORSE`, the largest loss first. Raises ValueError if the runs
    share no subject.
    """
    common = sorted(set(a) & set(b))
    if not common:
        raise ValueError(f"the runs have no subject in common (A: {len(a)}, B: {len(b)}); use runs of the same data")
    rows = []
    for region in TABLE_ORDER:
        subjects = [name for name in common if region in a[name] and region in b[name]]
        if not subjects:
            continue
        of_a, of_b = (np.array([run[name][region] for name in subjects]) for run in (a, b))
        change = of_b - of_a
        p = float(wilcoxon(change).pvalue) if change.any() else 1.0
        worse = [subjects[place] for place in np.argsort(change, kind="stable") if change[place] < -WORSE]
        interval = bootstrap_interval(change, resamples, seed, [(patients or {}).get(name, name) for name in subjects])
        means = (float(of_a.mean()), float(of_b.mean()), float(change.mean()))
        row = (region, len(subjects), *means, *interval, p, len(worse), " ".join(worse))
        rows.append(dict(zip(COMPARISON_COLUMNS, row, strict=True)))
    return rows


def comparison_table(rows: Iterable[dict]) -> str:
    """Return the rows of `compare_dice` as an aligned text table, followed by each region's worse subjects."""
    rows = list(rows)
    lines = [("Dice", "subjects", "A", "B", "B - A", "95 % interval", "p", "worse")]
    for row in rows:
        interval = f"[{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"
        scores = f"{row['mean_a']:.3f}", f"{row['mean_b']:.3f}", f"{row['difference']:+.3f}"
        lines.append((row["region"], str(row["n"]), *scores, interval, f"{row['p']:.3g}", str(row["n_worse"])))
    text = aligned(lines)
    text += [f"Worse by more than {WORSE} in {row['region']}: {row['worse']}" for row in rows if row["worse"]]
    return "\n".join(text)
