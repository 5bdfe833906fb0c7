"""Masks worth a look: the subjects and places whose truth the held-out predictions contradict most."""

import math
from urllib.parse import quote

from glioseg.report.run import Rows

# The share of the scored subjects that are listed, how many a rank needs, and the least number of places listed.
SHARE, FEWEST, PLACES = 0.15, 10, 10


def suspects(uncertainty: Rows, places: Rows) -> dict:
    """The scored subjects and the places to look at, the most contradicted first: {"subjects", "places", "by_depth"}.

    With contradicted_mm of all subjects (by_depth), a subject has the better of two ranks: by this depth, which a
    border that is off everywhere makes large, and by its largest place, which a single wrong lesion does. Without it,
    subjects are ranked by their shortfall. Only subjects with a positive value are listed, and none of fewer than
    `FEWEST` scored ones. Each row of uncertainty.tsv gets the largest of its places as "place", or None.
    places: rows of suspects.tsv, the largest first.
    """
    known = [row for row in uncertainty if row["shortfall"]]
    by_depth = bool(known) and all(row["contradicted_mm"] for row in known)
    largest: dict[str, object] = {}
    for place in places:
        largest.setdefault(place["subject"], place)
    if by_depth:
        found = {row["subject"]: float(row["contradicted_mm"]) for row in known}
        sizes = {name: float(largest[name]["place_ml"]) if name in largest else 0.0 for name in found}
        ranks = [_ranks(found), _ranks(sizes)]
        order = {name: (min(rank[name] for rank in ranks), sum(rank[name] for rank in ranks)) for name in found}
    else:
        found = {row["subject"]: float(row["shortfall"]) for row in known}
        order = _ranks(found)
    ranked = sorted(known, key=lambda row: (order[row["subject"]], row["subject"]))
    count = math.ceil(SHARE * len(known)) if len(known) >= FEWEST else 0
    shown = [{**row, "place": largest.get(row["subject"])} for row in ranked[:count] if found[row["subject"]] > 0]
    return {"subjects": shown, "places": places[: max(PLACES, 2 * count)], "by_depth": by_depth}


def _ranks(values: dict[str, float]) -> dict[str, int]:
    """Name -> its place from the largest value to the smallest, from 0; behind all others without a positive value."""
    order = enumerate(sorted(values, key=lambda name: (-values[name], name)))
    return {name: place if values[name] > 0 else len(values) for place, name in order}


def place_address(page: str, row: dict) -> str:
    """The address of a voxel in the viewer of a subject's page: PAGE#at=x,y,z, in mm of the scan."""
    return f"{page}#at={quote(','.join(row[name] for name in ('x_mm', 'y_mm', 'z_mm')), safe=',-.')}"
