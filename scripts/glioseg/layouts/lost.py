"""What looks like a subject and gives none: an empty folder, a part of a download, a broken link, unknown names."""

import re
from collections.abc import Iterable

from glioseg.layouts.folders import Place, SubjectFiles, part_of, stem_of
from glioseg.workflow.options import BRACKETS

# White space that a cell of a table does not keep.
BLANKS = re.compile(r"^\s|\s$|(?<=\s)\s|[^\S ]")


def lost_subjects(found: Iterable[Place], others: Iterable[Place], notes: list[str]) -> list[tuple[Place, dict]]:
    """Places next to subjects that look like a subject themselves, with a note, and without files.

    found: the folders of subjects; others: all other folders that were visited. A folder next to a subject looks like
    one if it is empty, if it holds an image, a part of a download or a broken link, or if its name differs from that of
    a subject by numbers only. The notes of the remaining folders are added to notes.
    """
    shapes: dict[str, set[str]] = {}
    above = set()
    for place in found:
        shapes.setdefault(_parent(place.folder), set()).add(_shape(place.name))
        above |= {place.folder.rsplit("/", count)[0] for count in range(1, len(place.groups) + 1)}
    lost, strangers = [], []
    for place in others:
        images = [entry.name for entry in place.entries if stem_of(entry.name) is not None]
        parts = [entry.name for entry in place.entries if part_of(entry.name)]
        siblings = shapes.get(_parent(place.folder), set()) if place.groups else set()
        alike = not place.entries or images or parts or place.broken or _shape(place.name) in siblings
        if siblings and alike and place.folder not in above:
            place.notes.extend(_sentences(place, images, parts))
            lost.append((place, {}))
        else:
            # The links of this folder that would be subjects if they were not broken.
            for name in place.broken:
                if _shape(name) in shapes.get(place.folder, ()):
                    note = next(note for note in place.notes if note.startswith(f"{place.folder}/{name} "))
                    place.notes.remove(note)
                    lost.append((Place(f"{place.folder}/{name}", (*place.groups, name), name, [], [], [note]), {}))
            notes.extend(place.notes)
            strangers += [f"{place.folder} ({images[0]})"] if images else []
    if strangers:
        more = f"{len(strangers)} folders hold" if len(strangers) > 1 else "1 folder holds"
        notes.append(f"{more} images whose names do not match this layout, such as {strangers[0]}; they are skipped")
    return lost


def with_usable_name(name: str, subject: SubjectFiles) -> tuple[str, SubjectFiles]:
    """A subject as it is; or without files and with a note that says so, if the workflow cannot use its name or a path.

    Its name then has codes such as %7B instead of the characters that cannot be used, as in the address of a web page.
    """
    paths = [file.path for file in subject.files.values() if BRACKETS.search(file.path)]
    if not (BRACKETS.search(name) or BLANKS.search(name) or paths):
        return name, subject
    note = (
        f"{(paths or [name])[0]!r} cannot be used as a name in the workflow; expected none of {{ }} < >, and no white "
        "space other than single blanks; rename the folders and files"
    )
    for unusable in (BRACKETS, BLANKS):
        name = unusable.sub(lambda found: f"%{ord(found[0]):02X}", name)
    return name, subject._replace(files={}, notes=(*subject.notes, note))


def _sentences(place: Place, images: list[str], parts: list[str]) -> list[str]:
    """Why a folder gives no subject, if its notes do not say so."""
    if images:
        return [f"{place.folder} holds images whose names do not match this layout ({images[0]}); they are skipped"]
    if parts:
        return [f"{place.folder} holds a part of a download ({parts[0]}); finish or repeat the download"]
    if place.notes:
        return []
    return [f"{place.folder} {'holds no image that this layout knows' if place.entries else 'is empty'}"]


def _parent(folder: str) -> str:
    return folder.rpartition("/")[0]


def _shape(name: str) -> str:
    """A name without the values of its numbers."""
    return re.sub(r"\d+", "0", name.lower())
