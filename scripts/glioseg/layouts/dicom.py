"""DICOM series in the folders of patients: which of them shows which modality, judged by their tags.

This is a proposal, which the user corrects. Of the tags, only the geometry and the modality are used; no name, number
or date of a patient leaves this module.
"""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from glioseg.layouts.dicom_words import LOCALIZER, modality_of
from glioseg.layouts.modalities import MODALITIES
from glioseg.layouts.patients import patient_of
from glioseg.volumes.readers import same_locale

# Fewer slices do not cover a head.
LEAST_SLICES = 10
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_TAGS = {
    "kind": "0008|0060", "class": "0008|0016", "type": "0008|0008", "description": "0008|103e", "protocol": "0018|1030",
    "agent": "0018|0010", "repetition": "0018|0080", "echo": "0018|0081", "inversion": "0018|0082",
    "patient": "0010|0020", "name": "0010|0010", "study": "0020|000d", "date": "0008|0020",
}  # fmt: skip


class Series(NamedTuple):
    """A folder of one DICOM series: its modality, or the reason why it is not used, and its largest voxel side (mm)."""

    folder: str
    modality: str
    reason: str
    largest_mm: float


class Patient(NamedTuple):
    """A patient's visit: its name here, the series that are proposed by modality, and a sentence for each other one."""

    name: str
    series: dict[str, str]
    notes: list[str]


def propose(root: Path) -> list[Patient]:
    """Propose the series of each patient. root: a folder with a folder for each patient, with any folders in it.

    A patient whose folder has the name or the number of the patient gets the name subject_001 and so on instead, and
    several visits get the endings _ses-1, _ses-2. Of two series of one modality, that with the smaller voxels is
    proposed. Raises ValueError if no folder holds DICOM files.
    """
    entries = sorted(path for path in root.iterdir() if path.is_dir())
    patients = [visit for number, entry in enumerate(entries, 1) for visit in _visits(entry, number)]
    if not patients:
        raise ValueError(
            f"{root}: no DICOM series found; expected a folder for each patient, and in it one for each series"
        )
    return patients


def propose_one(folder: Path) -> Patient:
    """Propose the series of the only visit of the patient in a folder. Raises ValueError if there is none, or more."""
    found = [visit for visit in _visits(folder, 1) if visit.series]
    if len(found) != 1:
        raise ValueError(
            f"{folder}: expected the DICOM series of one visit of a patient, found {len(found) or 'no'} visits with "
            "usable series; give a folder with a folder for each series"
        )
    return found[0]


def _visits(entry: Path, number: int) -> list[Patient]:
    """The visits of the patient in a folder, which is the one with this number."""
    visits: dict[str, list[Series]] = {}
    dates, hidden, notes, people = {}, False, [], set()
    for folder in _folders(entry):
        tags, found = _look(folder)
        if not tags:
            notes.append(f"{folder} {found.reason}")
            continue
        visits.setdefault(tags["study"], []).append(found)
        dates[tags["study"]] = tags["date"]
        hidden |= _names_patient(entry.name, tags)
        people |= {tags["patient"]} - {""}
    name = f"subject_{number:03d}" if hidden else entry.name
    if hidden:
        notes.append(f"{entry} has the name or number of a patient, who is called {name} here")
    if len(people) > 1:
        # Otherwise, they would be the visits of one patient.
        notes.append(f"{entry} holds scans of {len(people)} patients; keep those of each patient in a folder")
        visits = {}
    patients = []
    for visit, study in enumerate(sorted(visits, key=lambda study: (dates[study], study)), 1):
        whole = f"{name}_ses-{visit}" if len(visits) > 1 else name
        patients.append(_patient(whole, visits[study], notes if visit == 1 else []))
    return patients or ([Patient(name, {}, notes)] if notes else [])


def _patient(name: str, series: list[Series], notes: list[str]) -> Patient:
    """The visit of a patient with the best series of each modality."""
    chosen: dict[str, Series] = {}
    notes = list(notes)
    for one in sorted(series, key=lambda one: (one.largest_mm, one.folder)):
        if one.reason:
            notes.append(f"{one.folder} {one.reason}")
        elif one.modality in chosen:
            notes.append(
                f"{one.folder} is also {one.modality}; {chosen[one.modality].folder} has smaller voxels or comes first"
            )
        else:
            chosen[one.modality] = one
    if absent := [name for name in MODALITIES if name not in chosen]:
        notes.append(f"{name} has no series of {', '.join(absent)}")
    return Patient(name, {key: chosen[key].folder for key in MODALITIES if key in chosen}, notes)


def described(patients: list[Patient]) -> str:
    """What is proposed for each patient, line by line, and a sentence for each series that is not."""
    lines = []
    for patient in patients:
        lines += [patient.name, *(f"  {name:<6}{folder}" for name, folder in patient.series.items())]
        lines += [f"  note  {note}" for note in patient.notes]
    return "\n".join(lines)


def table_of(patients: list[Patient], folder: Path) -> tuple[list[str], list[dict]]:
    """Columns and rows of a table of the proposed series, to be written into a folder and corrected by the user."""
    rows = [
        {"subject": patient.name, "patient": patient_of(patient.name)}
        | {name: os.path.relpath(place, folder) for name, place in patient.series.items()}
        for patient in patients
    ]
    return ["subject", "patient", *MODALITIES], rows


def _folders(patient: Path) -> Iterator[Path]:
    """The folders of a patient that hold DICOM files."""
    for folder, names, files in os.walk(patient):
        names.sort()
        if any(_is_dicom(Path(folder, name)) for name in sorted(files)[:3]):
            yield Path(folder)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _look(folder: Path) -> tuple[dict[str, str], Series]:
    """The tags of the series in a folder, and what it is; no tags if the folder holds several series or patients."""
    import SimpleITK as sitk

    place = str(folder)
    try:
        with same_locale():
            found = [
                _tags(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(place, name))
                for name in sitk.ImageSeriesReader.GetGDCMSeriesIDs(place)
            ]
    except RuntimeError:  # of ITK
        return {}, Series(place, "", "holds a DICOM file that cannot be read; copy it again", 0.0)
    if not found:
        return {}, Series(place, "", "holds DICOM files without images; it is skipped", 0.0)
    if len({tags["patient"] for tags, _, _ in found}) > 1:
        return {}, Series(place, "", "holds scans of several patients; keep those of each patient in a folder", 0.0)
    if len(found) > 1:
        return {}, Series(place, "", f"holds {len(found)} series; keep each series in a folder of its own", 0.0)
    ((tags, slices, largest_mm),) = found
    reason = _unusable(tags, slices)
    modality = "" if reason else modality_of(tags)
    if not reason and not modality:
        reason = f"is none of {', '.join(MODALITIES)} by its tags; if it is one, write it into the table"
    return tags, Series(place, modality, reason, largest_mm)


def _unusable(tags: dict[str, str], slices: int) -> str:
    """Why a series cannot be used, in words; "" if it can."""
    if tags["class"].startswith(SECONDARY_CAPTURE):
        return "is a secondary capture, such as a screenshot; it is skipped"
    if tags["kind"] != "MR":
        return f"is of the kind {tags['kind'] or 'unknown'}; expected MR; it is skipped"
    if "LOCALIZER" in tags["type"].upper() or LOCALIZER.search(tags["description"].lower()):
        return "is a localizer; it is skipped"
    if slices < LEAST_SLICES:
        return f"has {slices} slices; expected at least {LEAST_SLICES}, which cover a head; it is skipped"
    return ""


def _tags(files: tuple[str, ...]) -> tuple[dict[str, str], int, float]:
    """Tags of a series by their names in `_TAGS`, its number of slices, and the largest side of a voxel (mm)."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    places = []
    for file in (files[0], files[-1]):
        reader.SetFileName(file)
        reader.ReadImageInformation()
        places.append(reader.GetOrigin())
    known = set(reader.GetMetaDataKeys())
    tags = {name: reader.GetMetaData(key).strip() if key in known else "" for name, key in _TAGS.items()}
    size, spacing = reader.GetSize(), reader.GetSpacing()
    slices = max(len(files), size[2] if len(size) > 2 else 1)
    # The file of one slice does not tell how far it is from the next one.
    apart = math.dist(*places) / (len(files) - 1) if len(files) > 1 else 0.0
    return tags, slices, round(max(*(spacing if len(files) == 1 else spacing[:2]), apart), 3)


def _names_patient(folder: str, tags: dict[str, str]) -> bool:
    """Whether the name of a folder holds the name or the number of a patient."""
    words = [word for word in re.split(r"[\^ ,=]+", tags["name"]) if len(word) > 2] + [tags["patient"]]
    return any(word and word.lower() in folder.lower() for word in words)
