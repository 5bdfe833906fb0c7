"""The cohort table: one row per subject, with its fold or the reason for its exclusion."""

from collections.abc import Iterable, Mapping, Sequence

from glioseg.labels import MASK
from glioseg.scan_facts import ScanFacts, content_hash
from glioseg.split.own_folds import folds_of_groups
from glioseg.split.seen import folds_of_unseen

COHORT_COLUMNS = [
    "subject",
    "patient",
    "verdict",
    "fold",
    "reason",
    "checks",
    "labels",
    "has_mask",
    "tumor_ml",
    "enhancing_ml",
    "lost_percent",
    "content",
]

# The column of the table of subjects that says what was left out of a subject's files.
NOTES = "layout_notes"

# Reasons to exclude a subject whose scan.json is not read.
LEFT_OUT = {
    "exclude": "left out by name (exclude)",
    "failed": "its preprocessing failed and the run continued without it (skip_failed); see summarize/failures.tsv",
}


def cohort_rows(
    subjects: list[dict],
    scans: dict[str, ScanFacts],
    left_out: dict[str, str],
    folds: int,
    test_percent: float,
    seed: int,
    given: dict[str, str] | None = None,
    seen: Mapping[str, str] | None = None,
) -> list[dict]:
    """A row of `COHORT_COLUMNS` and covariates for each subject, sorted by subject.

    subjects: rows of the table of subjects (subject, patient, labels, and any covariates). scans: `scan.json` by
    subject, except for the subjects in left_out, which maps them to a key of `LEFT_OUT`. given: the folds of subjects
    if the user gives them; otherwise they are drawn. seen: for a cohort that finished models segment, the result of
    `seen_subjects`; nobody is trained on then.
    verdict is "included", "warned" (included, with a warning) or "excluded". checks lists the checks with findings, and
    reason their sentences. fold is "test" (held out from every model), "0".."folds-1" (held out from that fold's
    models), "train" (in the training set, if folds is 1), "new" (without a mask: predicted, but not scored), or ""
    (excluded). The visits of a patient, and subjects that share voxels, are in the same fold, with a mask or without. A
    patient counts once when folds are drawn, with the tumor of the first visit that has a mask. content identifies what
    a network reads of the scan.
    Raises ValueError if too few usable patients remain, with the first ten exclusions, or if the given folds are wrong.
    """
    # Imported here because it loads NumPy: Snakemake and each of its jobs import this module when they start.
    from glioseg.split.duplicates import find_duplicates, group_duplicates
    from glioseg.split.folds import assign_folds

    usable = {name: scan for name, scan in scans.items() if scan["verdict"] != "excluded"}
    duplicates = find_duplicates(usable)
    # The visits of a patient and duplicates share the fold that is drawn for the first of them with a mask.
    related = _related({row["subject"]: row["patient"] for row in subjects if row["subject"] in usable}, duplicates)
    masked = sorted(name for name, scan in usable.items() if scan["has_mask"])
    leader = group_duplicates([*masked, *sorted(set(usable) - set(masked))], related)
    drawn = {name: usable[name] for name in masked if leader[name] == name}
    try:
        if seen is not None:
            fold_of = folds_of_unseen(leader, masked, [name for name in seen if name in usable])
        elif given is None:
            volumes_ml, enhancing_ml = (
                {name: scan[key] for name, scan in drawn.items()} for key in ("tumor_ml", "enhancing_ml")
            )
            fold_of = assign_folds(volumes_ml, enhancing_ml, folds, test_percent, seed)
        else:
            fold_of = folds_of_groups(given, leader, masked)
    except ValueError as error:
        reasons = [f"excluded: {reason}" for reason in _exclusions(scans, {})[:10]]
        raise ValueError("\n".join([str(error), *reasons])) from None
    left = {subject["subject"]: subject.get(NOTES, "") for subject in subjects}
    saw = _with_relatives(seen or {}, leader)
    rows = []
    for subject in sorted(subjects, key=lambda subject: subject["subject"]):
        name = subject["subject"]
        if name in left_out:
            facts = {"verdict": "excluded", "checks": left_out[name], "reason": LEFT_OUT[left_out[name]]}
            facts["has_mask"] = "yes" if subject.get(MASK) else "no"
        else:
            fold = fold_of.get(leader[name], "new") if name in usable else ""
            notes = [(check, words[name]) for check, words in (("files", left), ("learned", saw)) if words.get(name)]
            facts = {"fold": fold, **_row_of(scans[name], duplicates.get(name, {}), notes)}
        # A covariate with the name of one of these columns must not replace it.
        ours = dict.fromkeys(COHORT_COLUMNS, "") | {key: subject[key] for key in ("subject", "patient", "labels")}
        rows.append(subject | ours | facts)
    return rows


def _related(patients: dict[str, str], duplicates: dict[str, dict[str, list[str]]]) -> dict[str, list[str]]:
    """Subject -> its duplicates and the other visits of its patient. patients: subject -> patient."""
    visits: dict[str, list[str]] = {}
    for name, patient in patients.items():
        visits.setdefault(patient, []).append(name)
    return {name: [*duplicates.get(name, ()), *visits[patient]] for name, patient in patients.items()}


def covariates_in(cohort: Sequence[Mapping[str, str]]) -> list[str]:
    """The columns of a cohort table that are not in `COHORT_COLUMNS`: the covariates of its data sets."""
    return [name for name in (cohort[0] if cohort else ()) if name not in COHORT_COLUMNS]


def patients_in(rows: Iterable[Mapping[str, str]]) -> int:
    """The number of different patients in rows with a column patient."""
    return len({row["patient"] for row in rows})


def counted(rows: Sequence[Mapping[str, str]], noun: str = "subject") -> str:
    """The number of subjects in words, and of their patients if it differs: "4 subjects of 2 patients"."""
    text = f"{len(rows)} {noun}{'s' * (len(rows) != 1)}"
    patients = patients_in(rows)
    return text if patients == len(rows) else f"{text} of {patients} patient{'s' * (patients != 1)}"


def _with_relatives(seen: Mapping[str, str], leader: Mapping[str, str]) -> dict[str, str]:
    """The subjects that a model saw, and the other visits of their patients, each with its sentence."""
    first = {leader[name]: name for name in seen if name in leader}
    related = {name: first[group] for name, group in leader.items() if group in first}
    words = "a model learned from {}, of the same patient, so it is neither predicted nor scored"
    return {name: seen.get(name) or words.format(other) for name, other in related.items()}


def _row_of(scan: ScanFacts, duplicates: dict[str, list[str]], notes: Sequence[tuple[str, str]]) -> dict:
    """The columns of a row that describe a scan. notes: names of further checks, each with its sentence."""
    sentences = [finding["sentence"] for finding in scan["findings"]]
    checks = [finding["check"] for finding in scan["findings"]]
    verdict = scan["verdict"]
    for duplicate, modalities in duplicates.items():
        sentences.append(
            f"its {', '.join(modalities)} voxels are identical to those of {duplicate}; "
            "both are on the same side of every split"
        )
        checks.append("duplicate")
        verdict = "warned"
    for check, note in notes:
        sentences.append(note)
        checks.append(check)
        verdict = verdict if verdict == "excluded" else "warned"
    facts = {
        "verdict": verdict,
        "reason": "; ".join(sentences),
        "checks": ",".join(dict.fromkeys(checks)),
        "has_mask": "yes" if scan["has_mask"] else "no",
    }
    if verdict != "excluded":
        facts["content"] = content_hash(scan)
    if "tumor_voxels" in scan:
        facts["tumor_ml"] = f"{scan['tumor_ml']:.3f}"
        facts["enhancing_ml"] = f"{scan['enhancing_ml']:.3f}"
        facts["lost_percent"] = f"{100 * scan['tumor_voxels_lost'] / max(scan['tumor_voxels'], 1):.3f}"
    return facts


def covariate_columns(subjects: list[dict], scans: dict[str, ScanFacts]) -> list[str]:
    """The columns of the table of subjects that are neither files nor in `COHORT_COLUMNS`."""
    files = {MASK} | {modality for scan in scans.values() for modality in scan["modalities"]}
    return [column for column in subjects[0] if column not in {*files, *COHORT_COLUMNS, NOTES}]


def insist_on_all(scans: dict[str, ScanFacts], notes: Mapping[str, str]) -> None:
    """Raise ValueError if any scan is excluded; the message lists the reasons.

    notes: subject -> what was left out of its files, in sentences.
    """
    reasons = _exclusions(scans, notes)
    if reasons:
        raise ValueError("\n".join([f"split: strict: {len(reasons)} of {len(scans)} subjects are excluded", *reasons]))


def _exclusions(scans: dict[str, ScanFacts], notes: Mapping[str, str]) -> list[str]:
    """The excluded scans, each with its reason and its note."""
    return [
        f"{name}: {'; '.join(filter(None, (scan['reason'], notes.get(name))))}"
        for name, scan in scans.items()
        if scan["verdict"] == "excluded"
    ]
