"""A table of the predicted tumor volumes of all segmented subjects, scored or not."""

import json
from collections.abc import Sequence
from pathlib import Path

from glioseg.labels import regions_of
from glioseg.split.models import predicted_subjects


def volume_columns(cohort: Sequence[dict]) -> list[str]:
    """The columns of the table: subject, patient, fold, and the volume in ml of each region of the label dialects."""
    return ["subject", "patient", "fold", *(f"{name}_ml" for name in regions_of({row["labels"] for row in cohort}))]


def volume_rows(folder: Path, cohort: Sequence[dict]) -> list[dict]:
    """Return a row of `volume_columns` for each predicted subject with a JSON file, in the order of the cohort.

    folder: the output of predict, or that of postprocess if it changes the segmentations; cohort: rows of cohort.tsv.
    Raises ValueError naming the file if it is unusable.
    """
    row_of = {row["subject"]: row for row in cohort}
    paths = {name: folder / f"{name}.json" for name in predicted_subjects(list(cohort))}
    return [
        {name: row_of[subject][name] for name in ("subject", "patient", "fold")} | _read(path)
        for subject, path in paths.items()
        if path.is_file()
    ]


def _read(path: Path) -> dict[str, str]:
    try:
        volumes = json.loads(path.read_text(encoding="utf-8"))["volumes_ml"]
        return {f"{name}_ml": f"{volume:.3f}" for name, volume in volumes.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: expected the volumes of a segmentation ({error!r}); predict it again") from error
