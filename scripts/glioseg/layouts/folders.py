"""Functions that all layouts share: they find the images of a data set by the names of files and folders alone."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

# The earlier one is used if two files differ in nothing else: .nii needs no decompression. Of a pair of .hdr and .img,
# the image is the .img.
ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".img", ".img.gz")
DICOM = (".dcm", ".ima")
VOLUME = re.compile(rf"(?P<path>.+(?:{'|'.join(map(re.escape, ENDINGS))})):(?P<volume>\d+)", re.I)
DOWNLOAD = re.compile(r"(?P<stem>.+)\.nii(\.gz)?\.(part|partial|filepart|crdownload|download|tmp|aria2|!ut)", re.I)

# Subjects are at most this many folders below the root: up to two folders that group them, and their own.
LEVELS = 3


class File(NamedTuple):
    """An image: the path of its file, and the index of its volume in a 4-D file (0 in a 3-D file)."""

    path: str
    volume: int = 0


def file_named(text: str) -> File:
    """The image that a user names: a file, a folder of DICOM slices, or `FILE:2` for the third volume of a 4-D file."""
    match = VOLUME.fullmatch(text)
    return File(match["path"], int(match["volume"])) if match else File(text.rstrip("/"))


def state_of(path: str) -> list:
    """Size (bytes) and time (ns) of a file, or of each file in a folder: they tell that a scan changed.

    [] if it cannot be accessed, which `preprocess` reports.
    """
    place = Path(path)
    try:
        if place.is_dir():
            return sorted([entry.name, *_state(entry.stat())] for entry in place.iterdir())
        return _state(place.stat())
    except OSError:
        return []


def _state(status: os.stat_result) -> list[int]:
    return [status.st_size, status.st_mtime_ns]


class SubjectFiles(NamedTuple):
    """What a data set says of one subject: files by modality (and "seg"), label dialect, covariates by name, patient.

    A subject is one visit of a patient. Most data sets have one visit for each patient. notes: sentences on what was
    left out. A subject without files is something that looks like a subject, such as an empty folder.
    """

    files: dict[str, File]
    labels: str
    covariates: dict[str, str]
    patient: str
    notes: tuple[str, ...] = ()


def stem_of(name: str) -> str | None:
    """A file's name without the ending of an image, such as .nii.gz; None if it has none."""
    ending = ending_of(name)
    return name[: -len(ending)] if ending else None


def ending_of(name: str) -> str | None:
    """The one of `ENDINGS` that a file's name has, in lower case; None if it has none."""
    lower = name.lower()
    return next((ending for ending in ENDINGS if lower.endswith(ending)), None)


class Place(NamedTuple):
    """A folder of a data set, at or below its root, by which a layout may be recognized.

    groups: names of the folders from the root to this one; name: of this folder; entries: its content; broken: names of
    links to missing files in it; notes: a list that gets a sentence for whatever is left out.
    """

    folder: str
    groups: tuple[str, ...]
    name: str
    entries: list[os.DirEntry]
    broken: list[str]
    notes: list[str]


class Layout(NamedTuple):
    """How the files of a data set are named and placed on disk.

    expected: an example of a subject's image, for messages; recognize: whether a folder has this layout, by names
    alone; find: returns the subjects of a data set by name. It takes the root, labels (a dialect or "auto"), the names
    of modalities (`modalities.names_of`), and a list of notes, to which it adds a sentence for whatever it leaves out.
    """

    expected: str
    recognize: Callable[[Place], bool]
    find: Callable[[str, str, dict[str, str], list[str]], dict[str, SubjectFiles]]


def listing(folder: str, notes: list[str], broken: list[str] | None = None) -> list[os.DirEntry]:
    """The entries of a folder, sorted by name, without hidden files, macOS leftovers and broken links.

    A broken link gets a note, and its name is added to the list `broken`. A folder that cannot be listed counts as
    empty, with a note.
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if entry.name[0] != "." and entry.name != "__MACOSX"]
    except OSError as error:
        notes.append(f"{folder} cannot be listed ({error.strerror}); it is skipped")
        return []
    kept = []
    for entry in sorted(found, key=lambda entry: entry.name):
        # git-annex and DataLad leave links to files that were never fetched. Only links need another disk access.
        if entry.is_symlink() and not (entry.is_file() or entry.is_dir()):
            notes.append(f"{entry.path} is a link to a missing file; fetch it (git annex get, datalad get)")
            if broken is not None:
                broken.append(entry.name)
        else:
            kept.append(entry)
    return kept


def part_of(name: str) -> str | None:
    """The stem of the image of which a file is an unfinished download, such as X.nii.gz.part; None if it is none."""
    match = DOWNLOAD.fullmatch(name)
    return match["stem"] if match else None


def image_of(entry: os.DirEntry, notes: list[str]) -> str | None:
    """The path of the image that an entry is, or that it contains if unpacking made a folder `X.nii` around it.

    A folder of DICOM slices is an image. None, with a note, if a folder does not contain exactly one image.
    """
    if not entry.is_dir():
        return entry.path
    inside = listing(entry.path, notes)
    images = [file.path for file in inside if stem_of(file.name) is not None]
    if len(images) == 1:
        return images[0]
    if not images and inside and all(file.name.lower().endswith(DICOM) for file in inside):
        return entry.path
    found = ", ".join(file.name for file in inside[:3]) or "nothing"
    notes.append(
        f"{entry.path} is a folder; expected one image in it, or DICOM slices alone, found {found}; it is skipped"
    )
    return None


def descend(root: str, look: Callable[[Place], object], groups: tuple[str, ...] = ()) -> Iterator:
    """Yield the results of `look` for the root and its subfolders, as `Place`, sorted, to depth `LEVELS`.

    groups: names of the folders from the root to this one. Subfolders are visited only where look returns None. Each
    place has notes of its own, which look passes on.
    """
    broken, notes = [], []
    entries = listing(root, notes, broken)
    name = groups[-1] if groups else Path(root).absolute().name
    found = look(Place(root, groups, name, entries, broken, notes))
    if found is not None:
        yield found
    elif len(groups) < LEVELS:
        for entry in entries:
            if entry.is_dir() and stem_of(entry.name) is None:
                yield from descend(entry.path, look, (*groups, entry.name))


def one_each(subject: str, candidates: dict[str, list[str]], notes: list[str]) -> dict[str, File]:
    """One file for each modality; a modality with several different files is left out, with a note.

    X.nii and X.nii.gz count as the same file, and so does X with any other of `ENDINGS`. The first ending is used, with
    a note, since one of them may be out of date; .hdr and .img are one image.
    """
    files = {}
    for name, paths in candidates.items():
        if len({stem_of(path) or path for path in paths}) == 1:
            used = min(paths, key=lambda path: ENDINGS.index(ending_of(path)) if ending_of(path) else 0)
            files[name] = File(used)
            if rest := [path.rpartition("/")[2] for path in paths if path != used]:
                notes.append(
                    f"{subject}: {used.rpartition('/')[2]} is used for {name}, and {', '.join(rest)} beside it is not; "
                    "delete the one that is out of date"
                )
        elif paths:
            found = ", ".join(path.rpartition("/")[2] for path in paths)
            notes.append(
                f"{subject}: {len(paths)} files for {name} ({found}); expected one, so none is used: keep only one, "
                "or use a table"
            )
    return files


def insert(
    subjects: dict[str, SubjectFiles], where: dict[str, str], name: str, folder: str, subject: SubjectFiles
) -> None:
    """Add a subject. Raises ValueError, which names both folders, if another subject has the same name."""
    if name in subjects:
        raise ValueError(
            f"data: {name} is both in {where[name]} and in {folder}; list each as its own source and give one a prefix"
        )
    subjects[name], where[name] = subject, folder
