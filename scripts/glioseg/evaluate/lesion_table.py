"""A table of the lesions of all scored subjects: which were found, false negative, or false positive."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from glioseg.evaluate.lesions import Lesion
from glioseg.evaluate.measures import dice
from glioseg.evaluate.region_pair import Pair
from glioseg.volumes.orientation import voxel_ml

PLACE = ("x_mm", "y_mm", "z_mm")
LESION_COLUMNS = ("subject", "patient", "fold", "region", "outcome", "truth_ml", "predicted_ml", "dice", *PLACE)
# What can become of a lesion. The last one is true, but too small to count.
FOUND, FALSE_NEGATIVE, FALSE_POSITIVE, IGNORED = OUTCOMES = ("found", "false negative", "false positive", "ignored")


def lesion_facts(pair: Pair, affine: np.ndarray) -> list[dict]:
    """Return the lesions of a region, true ones first, each largest first: outcome, volumes (ml), Dice, and a place.

    affine (4x4): from voxels of the whole scan to mm. The place (place_mm) is the voxel of the lesion that is nearest
    to its center, in mm of the scan: right, anterior and superior are positive, as in NIfTI.
    """
    found = [
        (FOUND if lesion.prediction.any() else FALSE_NEGATIVE, lesion)
        for lesion in sorted(pair.lesions.true, key=_size, reverse=True)
    ]
    found += [(FALSE_POSITIVE, lesion) for lesion in sorted(pair.lesions.false_positive, key=_size, reverse=True)]
    found += [(IGNORED, lesion) for lesion in sorted(pair.lesions.ignored, key=_size, reverse=True)]
    size_ml = voxel_ml(pair.spacing_mm)
    return [
        {
            "outcome": outcome,
            "truth_ml": np.count_nonzero(lesion.truth) * size_ml,
            "predicted_ml": np.count_nonzero(lesion.prediction) * size_ml,
            "dice": dice(pair.of(lesion)),
            "place_mm": _place_mm(lesion, pair, affine),
        }
        for outcome, lesion in found
    ]


def lesion_rows(evaluations: Iterable[dict], cohort: Sequence[dict]) -> list[dict]:
    """Return a row of `LESION_COLUMNS` for each lesion of each subject.

    evaluations: the output of `evaluate`; a subject that could not be predicted has no lesions. cohort: rows with
    subject, patient and fold.
    """
    row_of = {row["subject"]: row for row in cohort}
    rows = []
    for scores in evaluations:
        row = {name: row_of[scores["subject"]][name] for name in ("subject", "patient", "fold")}
        for region, lesions in scores["lesions"].items():
            for lesion in lesions:
                place = dict(zip(PLACE, (f"{value:.1f}" for value in lesion["place_mm"]), strict=True))
                volumes = {name: f"{lesion[name]:.3f}" for name in ("truth_ml", "predicted_ml")}
                scored = {"outcome": lesion["outcome"], **volumes, "dice": f"{lesion['dice']:.4f}"}
                rows.append({**row, "region": region, **scored, **place})
    return rows


def lesion_counts(rows: Iterable[Mapping[str, str]]) -> dict[str, dict]:
    """Return region -> numbers of lesions by outcome, their volumes (ml), and how many subjects have each.

    rows: of `LESION_COLUMNS`.
    """
    counts: dict[str, dict] = {}
    for row in rows:
        of_region = counts.setdefault(
            row["region"], {name: {"lesions": 0, "ml": 0.0, "subjects": set()} for name in OUTCOMES}
        )
        entry = of_region[row["outcome"]]
        entry["lesions"] += 1
        entry["ml"] += float(row["predicted_ml" if row["outcome"] == FALSE_POSITIVE else "truth_ml"])
        entry["subjects"].add(row["subject"])
    return counts


def _size(lesion: Lesion) -> int:
    return max(np.count_nonzero(lesion.truth), np.count_nonzero(lesion.prediction))


def _place_mm(lesion: Lesion, pair: Pair, affine: np.ndarray) -> list[float]:
    voxels = np.argwhere(lesion.truth if lesion.truth.any() else lesion.prediction)
    distances = np.linalg.norm((voxels - voxels.mean(axis=0)) * pair.spacing_mm, axis=1)
    voxel = voxels[np.argmin(distances)] + lesion.start + pair.start
    return (affine[:3, :3] @ voxel + affine[:3, 3]).tolist()
