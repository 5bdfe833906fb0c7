"""The layout for any other data set: a table that names every file."""

import os
from collections.abc import Sequence
from pathlib import Path

from glioseg.files import COVARIATE, read_table
from glioseg.labels import MASK
from glioseg.layouts.covariates import EMPTY, rows_of
from glioseg.layouts.folders import File, Layout, Place, SubjectFiles, file_named, listing
from glioseg.layouts.modalities import plain
from glioseg.layouts.patients import patient_of
from glioseg.split.cohort import NOTES

TABLES = ("cohort.tsv", "cohort.csv")
ENDINGS = (".tsv", ".csv")
MASKS = (MASK, "mask")
WORDS = ("subject", "patient", "labels", plain(NOTES))


def table(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """Read the subjects from a .tsv or .csv, or from the cohort.tsv or cohort.csv in a folder.

    Columns: subject, one per modality, seg (or mask), patient if patients have several visits, and labels if label
    dialects differ; any other is a covariate.
    Paths are relative to the table's folder, `scan.nii.gz:2` is volume 2 (counted from 0) of a 4-D file, and an empty
    cell means no file. A file that does not exist is left out, with a note. Raises ValueError if the table cannot be
    used.
    """
    path = table_in(root)
    folder = path.rpartition("/")[0] if "/" in path else "."
    rows = list(rows_of(path))
    keys = {column: _meaning(column, names) for column in rows[0][1]} if rows else {}
    if rows:
        _check_columns(path, list(keys.values()), list(keys))
    subjects, folders = {}, {}
    for line, row in rows:
        name, patient, files, covariates, dialect, own = "", "", {}, {}, labels, []
        for column, cell in row.items():
            key = keys[column]
            if key == "subject":
                name = cell
            elif cell.lower() in EMPTY:
                continue
            elif key == "labels":
                dialect = cell
            elif key == "patient":
                patient = cell
            elif key == plain(NOTES):
                own.append(cell)
            elif key is None:
                covariates[column] = cell
            elif _exists((file := _file(cell, folder)).path, folders):
                files[key] = file
            else:
                own.append(f"{path}: line {line} names {file.path}, which does not exist")
        if not name or "/" in name or name[0] == ".":
            raise ValueError(f"{path}: line {line} names a subject {name!r}; expected a name without / or leading dot")
        if name in subjects:
            raise ValueError(f"{path}: line {line} names {name} again; expected one line for each subject")
        subjects[name] = SubjectFiles(files, dialect, covariates, patient or patient_of(name), tuple(own))
    return subjects


def table_of(subjects: dict[str, SubjectFiles], modalities: list[str], folder: Path) -> tuple[list[str], list[dict]]:
    """Columns and rows of a table to be written into a folder, from which `table` reads the same subjects again.

    Absolute paths are kept. Paths relative to the working directory become relative to that folder.
    """
    covariates = list(dict.fromkeys(name for subject in subjects.values() for name in subject.covariates))
    rows = []
    for name, subject in subjects.items():
        row = {"subject": name, "patient": subject.patient, "labels": subject.labels, **subject.covariates}
        row[NOTES] = "; ".join(subject.notes)
        for key, (path, volume) in subject.files.items():
            path = path if path.startswith("/") else os.path.relpath(path, folder)
            row[key] = f"{path}:{volume}" if volume else path
        rows.append(row)
    return ["subject", "patient", "labels", *modalities, MASK, NOTES, *covariates], rows


def listed_files(path: Path, subjects: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, File]]:
    """The files of subjects by name (modalities and "seg"), from a table of `table_of`; a missing file has no entry.

    The files are looked up here, and not in scan.json, so that a data set can be moved. Raises ValueError if the table
    does not list a subject.
    """
    rows = {row["subject"]: row for row in read_table(path, ("subject",))}
    for subject in subjects:
        if subject not in rows:
            raise ValueError(
                f"{path}: expected a line for {subject}, found none; delete it and run again to recreate it"
            )
    folder = str(path.parent)
    return {
        subject: {name: _file(rows[subject][name], folder) for name in names if rows[subject].get(name)}
        for subject in subjects
    }


def described(columns: list[str], modalities: list[str]) -> dict[str, dict]:
    """What the columns of `table_of` are that depend on the data set: files by modality, and covariates."""
    files = {
        name: {"Description": f"File of {name}, relative to this table's folder; FILE:2 is its third volume."}
        for name in (*modalities, MASK)
    }
    return {name: files.get(name, COVARIATE) for name in columns if name not in ("subject", "patient", "labels", NOTES)}


def table_in(root: str) -> str | None:
    """The path of the table that a source is, or that its folder contains; None if there is none."""
    if root.lower().endswith(ENDINGS):
        return root
    present = {entry.name for entry in listing(root, [])}
    return next((f"{root.rstrip('/')}/{name}" for name in TABLES if name in present), None)


def _meaning(column: str, names: dict[str, str]) -> str | None:
    """What a column holds: "subject", "patient", "labels", "layoutnotes", "seg" or a modality; None for a covariate."""
    key = plain(column)
    return MASK if key in MASKS else key if key in WORDS else names.get(key)


def _check_columns(path: str, keys: list[str | None], columns: list[str]) -> None:
    found = f"found {', '.join(columns)}"
    if "subject" not in keys or not set(keys) - {*WORDS, MASK, None}:
        raise ValueError(
            f"{path}: expected the columns subject, one for each modality such as t1ce, and optionally seg; {found}"
        )
    twice = sorted({key for key in keys if key and keys.count(key) > 1})
    if twice:
        raise ValueError(f"{path}: expected one column for {', '.join(twice)}; {found}")


def _file(cell: str, folder: str) -> File:
    path, volume = file_named(cell)
    path = path.removeprefix("./")
    return File(path if path.startswith("/") or folder == "." else f"{folder}/{path}", volume)


def _exists(path: str, folders: dict[str, set[str]]) -> bool:
    """Whether a file exists. Each folder is listed only once, which is far cheaper than a query for each file."""
    folder, _, name = path.rpartition("/")
    if folder not in folders:
        folders[folder] = {entry.name for entry in listing(folder or ("/" if path[0] == "/" else "."), [])}
    return name in folders[folder]


def _recognize(place: Place) -> bool:
    """Whether the root folder of the data set holds a table."""
    return not place.groups and any(entry.name in TABLES for entry in place.entries)


LAYOUT = Layout("cohort.tsv", _recognize, table)
