"""The files of a data set: which are images, which modality a name means, and the way down to them. By names alone."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

ENDINGS = (".nii.gz", ".nii")


# Subjects lie at most so many folders below the root: two of grouping, and their own.
LEVELS = 3


class File(NamedTuple):
    """An image: its file, and which volume of a 4-D file it is (0 in a 3-D file)."""

    path: str
    volume: int = 0


class SubjectFiles(NamedTuple):
    """What a data set says of one subject: files by modality (and "seg"), the mask's dialect, further facts by name."""

    files: dict[str, File]
    labels: str
    covariates: dict[str, str]


def stem_of(name: str) -> str | None:
    """A file's name without .nii or .nii.gz; None where it has neither."""
    lower = name.lower()
    return next((name[: -len(ending)] for ending in ENDINGS if lower.endswith(ending)), None)


class Place(NamedTuple):
    """A folder on the way down from a data set's root, where a layout may be recognized.

    groups: names of the folders from the root to this one; name: of this folder; entries: what lies in it; notes: gets
    a sentence for whatever is left out.
    """

    folder: str
    groups: tuple[str, ...]
    name: str
    entries: list[os.DirEntry]
    notes: list[str]


class Layout(NamedTuple):
    """How a data set lies on disk.

    expected: an image of a subject as it is named there, in words; recognize: whether a folder shows this layout, by
    names alone; find: the subjects of a data set by name, from the root, labels (a dialect or "auto"), the names of
    modalities (`modalities.names_of`), and a list of notes, to which it adds a sentence for whatever it leaves out.
    """

    expected: str
    recognize: Callable[[Place], bool]
    find: Callable[[str, str, dict[str, str], list[str]], dict[str, SubjectFiles]]


def listing(folder: str, notes: list[str]) -> list[os.DirEntry]:
    """What lies in a folder, by name; hidden files, what a Mac leaves behind and links to nothing are left out.

    A folder that can't be listed is empty, with a note.
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name[0] != "." and entry.name != "__MACOSX"]
    except OSError as error:
        notes.append(f"{folder} cannot be listed ({error.strerror}); left out")
        return []
    kept = []
    for entry in sorted(found, key=lambda entry: entry.name):
        # Only a link costs a look at the disk: git-annex and DataLad leave links to files that were never fetched.
        if entry.is_symlink() and not (entry.is_file() or entry.is_dir()):
            notes.append(f"{entry.path} is a link to a file that isn't there; fetch it (git annex get, datalad get)")
        else:
            kept.append(entry)
    return kept


def image_of(entry: os.DirEntry, notes: list[str]) -> str | None:
    """The image that an entry is; or holds, where unpacking made a folder `X.nii` around it.

    None, with a note, where not exactly one lies in there.
    """
    if not entry.is_dir():
        return entry.path
    inside = listing(entry.path, notes)
    images = [file.path for file in inside if stem_of(file.name) is not None]
    if len(images) == 1:
        return images[0]
    found = ", ".join(file.name for file in inside[:3]) or "nothing"
    notes.append(f"{entry.path} is a folder; expected one NIfTI image in it, found {found}; left out")
    return None


def descend(root: str, look: Callable, notes: list[str], groups: tuple[str, ...] = ()) -> Iterator:
    """What `look(folder, groups, entries)` makes of the root and of folders below it, by name, as far as `LEVELS`.

    groups: the folders' names from the root to this one. Where look returns None, its subfolders are looked at.
    """
    entries = listing(root, notes)
    found = look(root, groups, entries)
    if found is not None:
        yield found
    elif len(groups) < LEVELS:
        for entry in entries:
            if entry.is_dir() and stem_of(entry.name) is None:
                yield from descend(entry.path, look, notes, (*groups, entry.name))


def one_each(subject: str, candidates: dict[str, list[str]], notes: list[str]) -> dict[str, File]:
    """A file for each modality that has one; a modality with several different ones is left out, with a note.

    The same name with .nii and .nii.gz is one file: the .nii, which needs no unpacking.
    """
    files = {}
    for name, paths in candidates.items():
        if len({stem_of(path) for path in paths}) == 1:
            files[name] = File(min(paths))
        elif paths:
            found = ", ".join(path.rpartition("/")[2] for path in paths)
            notes.append(f"{subject}: {len(paths)} files for {name} ({found}); left out: remove one, or use a table")
    return files


def insert(
    subjects: dict[str, SubjectFiles], where: dict[str, str], name: str, folder: str, subject: SubjectFiles
) -> None:
    """Add a subject. Raises ValueError where its name is taken; it names both places."""
    if name in subjects:
        raise ValueError(
            f"data: {name} lies in {where[name]} and in {folder}; make each a source of its own and give one a prefix"
        )
    subjects[name], where[name] = subject, folder
