"""The cohort: one row per subject, and which model may predict whom."""

COLUMNS = ["subject", "verdict", "fold", "reason", "has_mask", "tumor_ml", "enhancing_ml", "lost_percent"]


def cohort_rows(scans: list[dict], folds: int, test_percent: float, seed: int) -> list[dict]:
    """Rows of `COLUMNS` from the subjects' `scan.json`, sorted by subject.

    fold is "test" (held out from every model), "0".."folds-1" (held out from that fold's model), "train" (seen by the
    only model, where folds is 1), "new" (no mask: predicted, never scored), or "" (excluded).
    Raises ValueError where too few usable subjects are left; it names the first exclusions.
    """
    # Not above: it loads NumPy, and every start of Snakemake and each of its jobs reads this module.
    from glioseg.folds import assign_folds

    usable = {scan["subject"]: scan for scan in scans if scan["verdict"] == "taken" and scan["has_mask"]}
    try:
        fold_of = assign_folds(
            {name: scan["tumor_ml"] for name, scan in usable.items()},
            {name: scan["enhancing_ml"] for name, scan in usable.items()},
            folds,
            test_percent,
            seed,
        )
    except ValueError as error:
        reasons = [f"{scan['subject']}: {scan['reason']}" for scan in scans if scan["verdict"] == "excluded"]
        raise ValueError("\n".join([str(error), *(f"excluded: {reason}" for reason in reasons[:10])])) from None
    rows = []
    for scan in sorted(scans, key=lambda scan: scan["subject"]):
        name = scan["subject"]
        row = {column: "" for column in COLUMNS} | {
            "subject": name,
            "verdict": scan["verdict"],
            "reason": scan["reason"],
            "has_mask": "yes" if scan["has_mask"] else "no",
        }
        if scan["verdict"] == "taken":
            row["fold"] = fold_of.get(name, "new")
        if "tumor_voxels" in scan:
            row["tumor_ml"] = f"{scan['tumor_ml']:.3f}"
            row["enhancing_ml"] = f"{scan['enhancing_ml']:.3f}"
            row["lost_percent"] = f"{100 * scan['tumor_voxels_lost'] / max(scan['tumor_voxels'], 1):.3f}"
        rows.append(row)
    return rows


def models(folds: int) -> list[str]:
    """Names of the models of a study: one for each fold, or "all" where there is one fold."""
    return ["all"] if folds == 1 else [str(fold) for fold in range(folds)]


def training_subjects(rows: list[dict], model: str) -> list[str]:
    """Subjects that a model learns from: taken, with a mask, and held out neither from it nor from every model."""
    return [row["subject"] for row in rows if row["fold"] not in ("", "new", "test", model)]


def monitored_subjects(rows: list[dict], model: str) -> list[str]:
    """Subjects whose learning curves accompany a model's training, with no say in it: those it is later scored on."""
    return [row["subject"] for row in rows if row["fold"] == ("test" if model == "all" else model)]


def models_for(rows: list[dict], subject: str, folds: int) -> list[str]:
    """The models that never saw a subject. Raises ValueError with a sentence where there is none, or it is excluded."""
    row = next((row for row in rows if row["subject"] == subject), None)
    if row is None:
        raise ValueError(
            f"{subject} is not in the cohort; known are {', '.join(row['subject'] for row in rows[:10])}, …"
        )
    if row["verdict"] == "excluded":
        raise ValueError(f"{subject} is excluded and can't be predicted: {row['reason']}")
    if row["fold"] == "train":
        raise ValueError(
            f"{subject} was learned from by the only model, so its prediction would flatter; "
            "set split: folds to 2 or more to predict every subject by a model that never saw it"
        )
    return models(folds) if row["fold"] in ("test", "new") else [row["fold"]]


def predicted_subjects(rows: list[dict]) -> list[str]:
    """Subjects that some model never saw."""
    return [row["subject"] for row in rows if row["fold"] not in ("", "train")]


def scored_subjects(rows: list[dict]) -> list[str]:
    """Predicted subjects that have a mask."""
    return [row["subject"] for row in rows if row["fold"] not in ("", "train", "new")]
