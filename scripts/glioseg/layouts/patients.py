"""The patient of a subject, from the names that data sets give to the visits of a patient."""

import re

# Each pattern matches a whole name; its group is the patient.
VISITS = [
    # BIDS: sub-01_ses-a.
    r"(sub-[^_]+)_ses-.+",
    # BraTS 2023 and later: BraTS-GLI-00001-100.
    r"(BraTS-[A-Z-]+-\d+)-\d{3}",
    # BraTS 2017 to 2019: Brats17_CBICA_AAB_1, BraTS19_2013_2_1.
    r"(Brats1[789]_\w+_\w+)_\d+",
    # BraTS 2013 and 2015: brats_tcia_pat123_0002.
    r"((?:\w+_)?pat\d+)_\d+",
    # UPENN-GBM: 11 is before surgery, 21 at a recurrence.
    r"(UPENN-GBM-\d+)_\d+",
    # Names that state a visit in words: UCSF-PDGM-0429_FU003d, P01_tp2, Patient-001_week-044.
    r"(.+?)[-_](?:ses|session|visit|timepoint|tp|week|fu)[-_]?\d\w*",
]
PATTERN = re.compile("|".join(VISITS), re.I)


def patient_of(name: str) -> str:
    """The patient of a subject, by its name. A name in which no visit is recognized is a patient of its own."""
    match = PATTERN.fullmatch(name)
    return next(filter(None, match.groups())) if match else name
