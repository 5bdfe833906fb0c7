"""What the report says of registration and of removing the skull, where a pipeline may fail without a word."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from glioseg.files import read_json
from glioseg.report.pages import data_uri

# Of register.json, and the figure beside it.
FACTS, FIGURE = "register.json", "register.png"


def read_registered(folder: Path | None, subjects: Sequence[str]) -> dict[str, dict]:
    """Subject -> its register.json, with "drawn", its figure as a data URI, of the subjects that were registered."""
    paths = {subject: folder / subject for subject in subjects} if folder else {}
    found = {subject: read_json(path / FACTS) for subject, path in paths.items() if (path / FACTS).is_file()}
    return {
        subject: facts | {"drawn": data_uri(paths[subject] / FIGURE)}
        for subject, facts in found.items()
        if facts["registered"]
    }


def doubtful(registered: Mapping[str, Mapping]) -> list[dict]:
    """A row for each registered subject, the most doubtful first.

    Those with warnings, or with refused series, come first, and then those with the series that shares least
    information with the reference. That series ("series") has nats_before and nats_after; moved_mm is the largest of
    all series; brain_ml is None if no brain was cut out.
    """
    rows = []
    for subject, facts in registered.items():
        moved = {name: one for name, one in facts["series"].items() if "nats_after" in one}
        least = min(moved, key=lambda name: moved[name]["nats_after"], default="")
        rows.append(
            {
                "subject": subject,
                "series": least,
                "nats_before": moved[least]["nats_before"] if least else None,
                "nats_after": moved[least]["nats_after"] if least else None,
                "moved_mm": max((one["moved_mm"] for one in moved.values()), default=None),
                "brain_ml": facts.get("brain_ml"),
                "said": [*facts["refused"].values(), *facts["warnings"]],
            }
        )
    infinite = float("inf")
    return sorted(
        rows,
        key=lambda row: (
            -len(row["said"]),
            infinite if row["nats_after"] is None else row["nats_after"],
            row["subject"],
        ),
    )


def registration_words(settings: Mapping | None) -> str:
    """A sentence of the methods on a section `register` of the configuration; "" if nothing is registered."""
    if not settings or settings["mode"] == "never":
        return ""
    which = "that lay on different grids " if settings["mode"] == "auto" else ""
    reference = "the series with the smallest voxels" if settings["reference"] == "finest" else settings["reference"]
    words = (
        f"The series of each subject {which}were registered rigidly to {reference} by mutual information [@mattes2003]"
    )
    words += (
        ", and resampled to 1 mm."
        if not settings["n4"]
        else ", resampled to 1 mm, and corrected by N4 [@tustison2010]."
    )
    if settings["strip"] == "network":
        return f"{words} A network that learned from synthetic heads [@hoopes2022] removed the skull."
    return words if settings["strip"] == "none" else f"{words} The skull was removed with given masks of the brain."
