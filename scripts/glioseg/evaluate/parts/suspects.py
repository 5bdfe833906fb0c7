"""Where the truth contradicts certain probabilities: masks that are worth a look, and the places in them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy import ndimage

from glioseg.evaluate.lesion_table import FALSE_NEGATIVE, FALSE_POSITIVE, PLACE
from glioseg.labels import EVERYWHERE, region
from glioseg.volumes.boxes import bounding_box, grow, slices
from glioseg.volumes.orientation import voxel_ml

SUSPECT_COLUMNS = ("subject", "patient", "fold", "region", "error", "place_ml", "probability", *PLACE)
# A voxel is contradicted if its probability is at least this, or at most 1 minus this, and the truth is otherwise.
CERTAIN = 0.9
# Smaller places are not listed, and no more than so many of a subject.
SMALLEST_ML, MOST = 0.05, 10


def contradictions(
    maps: Mapping[str, np.ndarray], truth: np.ndarray, affine: np.ndarray, spacing_mm: Sequence[float]
) -> dict:
    """Return {"depth_mm", "places"} of a subject; {} without the maps of WT, TC and ET.

    depth_mm: the contradicted volume of a region divided by the area of one side of a cube that has its predicted
    volume (at least 1 ml), the largest of WT, TC and ET. So a border that is off by a constant
    distance counts the same in small and large tumors. places: parts of these volumes that are more than a thin shell,
    largest first: region, error (as the truth has it), volume (place_ml), mean probability, and a voxel in the middle
    (place_mm, in mm of the scan: right, anterior and superior are positive). A place in several regions is listed once.
    maps: region -> probability (X, Y, Z); truth: class indices; affine: 4x4, from voxels to mm.
    """
    if not {*EVERYWHERE} <= maps.keys():
        return {}
    some = (truth > 0) | (maps["WT"] > 0.5)
    if not some.any():
        return {"depth_mm": 0.0, "places": []}
    box = slices(grow(bounding_box(some), truth.shape, 1))
    corner, inner, size_ml = [side.start for side in box], truth[box], voxel_ml(spacing_mm)
    depths, places = [], []
    seen = {error: np.zeros(inner.shape, bool) for error in (FALSE_NEGATIVE, FALSE_POSITIVE)}
    for name in EVERYWHERE:
        values, true = maps[name][box], region(inner, name)
        wrong = {FALSE_NEGATIVE: true & (values <= 1 - CERTAIN), FALSE_POSITIVE: ~true & (values >= CERTAIN)}
        volume_ml = sum(int(np.count_nonzero(voxels)) for voxels in wrong.values()) * size_ml
        predicted_ml = max(np.count_nonzero(values > 0.5) * size_ml, 1)
        # The cube root of a milliliter is a centimeter.
        depths.append(10 * volume_ml / predicted_ml ** (2 / 3))
        for error, voxels in wrong.items():
            for found in _places(voxels & ~seen[error], values, corner, affine, size_ml):
                places.append({"region": name, "error": error, **found})
            seen[error] |= voxels
    places.sort(key=lambda place: -place["place_ml"])
    return {"depth_mm": max(depths), "places": places[:MOST]}


def _places(
    voxels: np.ndarray, values: np.ndarray, corner: Sequence[int], affine: np.ndarray, size_ml: float
) -> Iterable[dict]:
    """The connected parts of voxels (bool) that are more than a shell of two voxels."""
    numbers, count = ndimage.label(ndimage.binary_opening(voxels), np.ones((3, 3, 3)))
    sizes = np.bincount(numbers.ravel(), minlength=count + 1) * size_ml
    for number in np.flatnonzero(sizes >= SMALLEST_ML):
        if number == 0:
            continue
        inside = np.argwhere(numbers == number)
        middle = inside[np.argmin(np.linalg.norm(inside - inside.mean(axis=0), axis=1))] + corner
        yield {
            "place_ml": float(sizes[number]),
            "probability": float(values[numbers == number].mean()),
            "place_mm": (affine[:3, :3] @ middle + affine[:3, 3]).tolist(),
        }


def suspect_rows(evaluations: Iterable[dict], cohort: Sequence[Mapping[str, str]]) -> list[dict]:
    """Return a row of `SUSPECT_COLUMNS` for each place of each subject, the largest first.

    evaluations: the output of `evaluate`; cohort: rows with subject, patient and fold.
    """
    row_of = {row["subject"]: row for row in cohort}
    rows = []
    for scores in evaluations:
        row = {name: row_of[scores["subject"]][name] for name in ("subject", "patient", "fold")}
        for found in scores["contradictions"].get("places", ()):
            where = dict(zip(PLACE, (f"{value:.1f}" for value in found["place_mm"]), strict=True))
            numbers = {"place_ml": f"{found['place_ml']:.3f}", "probability": f"{found['probability']:.3f}"}
            rows.append({**row, "region": found["region"], "error": found["error"], **numbers, **where})
    return sorted(rows, key=lambda row: (-float(row["place_ml"]), row["subject"]))


def depths(evaluations: Iterable[dict]) -> dict[str, float]:
    """Return subject -> depth_mm of its contradictions, for those with maps."""
    found = {scores["subject"]: scores["contradictions"].get("depth_mm") for scores in evaluations}
    return {subject: value for subject, value in found.items() if value is not None}
