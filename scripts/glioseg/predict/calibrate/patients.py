"""What is chosen on held-out subjects: each patient counts once, and a gain must be more than chance."""

import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

Case = TypeVar("Case")


def by_patient(cases: Iterable[Case], patients: Sequence[str] | None) -> list[list[Case]]:
    """The cases of each patient, in the order in which patients first appear.

    patients: the patient of each case; without it, each case is of another patient. Raises ValueError if their numbers
    differ.
    """
    found: dict[object, list[Case]] = {}
    for patient, case in zip(patients or itertools.count(), cases, strict=bool(patients)):
        found.setdefault(patient, []).append(case)
    return list(found.values())


def standard_error(gains: np.ndarray) -> float:
    """The standard error of the mean of gains (n,), one for each patient; 0 for a single patient."""
    return float(gains.std(ddof=1) / len(gains) ** 0.5) if len(gains) > 1 else 0.0
