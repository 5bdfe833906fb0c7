"""The cohort: one row per subject, and which model may predict whom."""

from glioseg.labels import MASK
from glioseg.scan_facts import ScanFacts

COHORT_COLUMNS = [
    "subject",
    "verdict",
    "fold",
    "reason",
    "checks",
    "labels",
    "has_mask",
    "tumor_ml",
    "enhancing_ml",
    "lost_percent",
]

# Why a subject is left out before anything is known of it.
LEFT_OUT = {
    "exclude": "left out by name (exclude)",
    "failed": "its preprocessing failed, and the run was told to go on (skip_failed); summarize/failures.tsv says how",
}


def cohort_rows(
    subjects: list[dict],
    scans: dict[str, ScanFacts],
    left_out: dict[str, str],
    folds: int,
    test_percent: float,
    seed: int,
) -> list[dict]:
    """A row of `COHORT_COLUMNS` and covariates per subject, sorted by subject.

    subjects: rows of the table of subjects (subject, labels, and any covariates that are no file). scans: `scan.json`
    by subject, but for those left out, each for what stands in `LEFT_OUT`. verdict is "included", "warned" (included,
    with a warning) or "excluded"; checks names the checks that found something, reason holds their sentences.
    fold is "test" (held out from every model), "0".."folds-1" (held out from that fold's model), "train" (seen by the
    only model, where folds is 1), "new" (no mask: predicted, never scored), or "" (excluded). Subjects that share
    voxels have one fold.
    Raises ValueError where too few usable subjects are left; it names the first exclusions.
    """
    # Not above: it loads NumPy, and every start of Snakemake and each of its jobs reads this module.
    from glioseg.split.duplicates import find_duplicates, group_duplicates
    from glioseg.split.folds import assign_folds

    usable = {name: scan for name, scan in scans.items() if scan["verdict"] != "excluded"}
    duplicates = find_duplicates(usable)
    # Duplicates have one fold: the one drawn for the first of them that has a mask.
    masked = sorted(name for name, scan in usable.items() if scan["has_mask"])
    leader = group_duplicates([*masked, *sorted(set(usable) - set(masked))], duplicates)
    drawn = {name: usable[name] for name in masked if leader[name] == name}
    try:
        fold_of = assign_folds(
            {name: scan["tumor_ml"] for name, scan in drawn.items()},
            {name: scan["enhancing_ml"] for name, scan in drawn.items()},
            folds,
            test_percent,
            seed,
        )
    except ValueError as error:
        reasons = [f"excluded: {reason}" for reason in _exclusions(scans)[:10]]
        raise ValueError("\n".join([str(error), *reasons])) from None
    rows = []
    for subject in sorted(subjects, key=lambda subject: subject["subject"]):
        name = subject["subject"]
        if name in left_out:
            facts = {"verdict": "excluded", "checks": left_out[name], "reason": LEFT_OUT[left_out[name]]}
            facts["has_mask"] = "yes" if subject.get(MASK) else "no"
        else:
            fold = fold_of.get(leader[name], "new") if name in usable else ""
            facts = {"fold": fold, **_row_of(scans[name], duplicates.get(name, {}))}
        # A covariate that is called like a column here doesn't stand for it.
        ours = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": name, "labels": subject["labels"]}
        rows.append(subject | ours | facts)
    return rows


def _row_of(scan: ScanFacts, duplicates: dict[str, list[str]]) -> dict:
    """What a row says of a scan."""
    sentences = [finding["sentence"] for finding in scan["findings"]]
    checks = [finding["check"] for finding in scan["findings"]]
    verdict = scan["verdict"]
    for duplicate, modalities in duplicates.items():
        sentences.append(
            f"its {', '.join(modalities)} has the voxels of {duplicate}'s; both are on one side of every split"
        )
        checks.append("duplicate")
        verdict = "warned"
    facts = {
        "verdict": verdict,
        "reason": "; ".join(sentences),
        "checks": ",".join(dict.fromkeys(checks)),
        "has_mask": "yes" if scan["has_mask"] else "no",
    }
    if "tumor_voxels" in scan:
        facts["tumor_ml"] = f"{scan['tumor_ml']:.3f}"
        facts["enhancing_ml"] = f"{scan['enhancing_ml']:.3f}"
        facts["lost_percent"] = f"{100 * scan['tumor_voxels_lost'] / max(scan['tumor_voxels'], 1):.3f}"
    return facts


def covariate_columns(subjects: list[dict], scans: dict[str, ScanFacts]) -> list[str]:
    """The columns of the table of subjects that are neither files nor among `COHORT_COLUMNS`."""
    files = {MASK} | {modality for scan in scans.values() for modality in scan["modalities"]}
    return [column for column in subjects[0] if column not in files and column not in COHORT_COLUMNS]


def insist_on_all(scans: dict[str, ScanFacts]) -> None:
    """Raises ValueError with the reasons where a scan is excluded."""
    reasons = _exclusions(scans)
    if reasons:
        raise ValueError("\n".join([f"split: strict: {len(reasons)} of {len(scans)} subjects are excluded", *reasons]))


def _exclusions(scans: dict[str, ScanFacts]) -> list[str]:
    return [f"{name}: {scan['reason']}" for name, scan in scans.items() if scan["verdict"] == "excluded"]
