"""The layouts of BraTS, 2013 to 2025: one folder per subject, possibly in groups such as HGG and LGG."""

import re
from collections.abc import Callable
from pathlib import Path

from glioseg.labels import MASK
from glioseg.layouts.covariates import brats_rows, covariates_of, is_covariate_table
from glioseg.layouts.folders import Layout, Place, SubjectFiles, descend, image_of, insert, listing, one_each, stem_of
from glioseg.layouts.lost import lost_subjects
from glioseg.layouts.modalities import names_of, plain
from glioseg.layouts.patients import patient_of

GRADES = {"HGG": "HGG", "HG": "HGG", "LGG": "LGG", "LG": "LGG"}
VSD = re.compile(r"VSD\.Brain.*?\.(?:MR_(?P<modality>\w+)|(?P<mask>OT))(?:\.|$)", re.I)
MASKS = (MASK, "tumorsegmentation")
ELSEWHERE = re.compile(r"(?P<subject>.+)_segm?", re.I)
YEAR = re.compile(r"(?<!\d)202[3-9](?![-_.]?\d)")


def brats(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """Find the subjects of BraTS 2017-2021 and of data sets named like them: `SUBJECT/SUBJECT_MODALITY.nii[.gz]`.

    The mask is `SUBJECT_seg` or, for subject 355 of 2020, `*_Segm`. It can also be in another folder, as in UPENN-GBM.
    In UCSF-PDGM, the folder is `SUBJECT_nifti` and the mask `SUBJECT_tumor_segmentation`. If no file has the subject's
    name, `MODALITY.nii[.gz]` and `seg.nii[.gz]` are its files.
    """

    def dialect(name, years):
        # Subjects of 2013 and 2015 that were renamed to the later scheme keep their label values.
        return "brats2013" if re.match(r"brats_?(2013|2015|tcia)_pat", name, re.I) else "brats2020"

    return _subjects(root, files_2017, dialect, labels, names, notes)


def brats2023(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """Find the subjects of BraTS 2023 and later: `SUBJECT/SUBJECT-t1n.nii.gz`, -t1c, -t2w, -t2f; the mask is -seg.

    Raises ValueError for pediatric subjects if the folder names do not state the year, which decides their labels.
    """

    def dialect(name, years):
        kind = name.upper().split("-")[1] if name.count("-") > 1 else ""
        if kind == "PED":
            if len(years) != 1:
                raise ValueError(
                    f"data: {name} in {root} is pediatric; pediatric label values differ between 2023 and 2024, and "
                    "the folder names do not state the year: set labels to brats2023 or brats2024-ped"
                )
            return "brats2023" if years == {"2023"} else "brats2024-ped"
        # The last number in a glioma's name is 100 or more for visits after treatment, which have the labels of 2024.
        treated = kind == "GLI" and (last := name.rpartition("-")[2]).isdecimal() and int(last) >= 100
        return "brats2024" if treated or (kind == "MET" and years == {"2025"}) else "brats2023"

    return _subjects(root, files_2023, dialect, labels, names, notes)


def brats2013(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """Find the subjects of BraTS 2013 and 2015: `SUBJECT/VSD.Brain.XX.O.MR_Flair.54512[.mha]`, or .nii[.gz].

    The mask is `*.OT.*`. Each image is a file, or a folder with one file.
    """
    return _subjects(root, files_2013, lambda name, years: "brats2013", labels, names, notes)


def files_2017(name: str, entries: list, names: dict[str, str], notes: list[str]) -> dict[str, list[str]]:
    """Paths by modality of the images in a folder that are named as in 2017-2021; empty if there are none."""
    found = _suffixed(f"{_subject(name)}_".lower(), entries, names, notes) or _suffixed("", entries, names, notes)
    if found:
        _tell_others(name, f"{_subject(name)}-".lower(), entries, names, notes)
    # A folder of masks alone, such as that of UPENN-GBM, is no subject.
    if set(found) - {MASK}:
        odd = [entry for entry in entries if "_segm.nii" in entry.name.lower() and stem_of(entry.name) is not None]
        if paths := [path for entry in odd if (path := image_of(entry, notes))]:
            found[MASK] = [*found.get(MASK, []), *paths]
    return found if set(found) - {MASK} or f"{_subject(name)}_{MASK}".lower() in _stems(entries) else {}


def files_2023(name: str, entries: list, names: dict[str, str], notes: list[str]) -> dict[str, list[str]]:
    """Paths by modality of the images in a folder that are named as in 2023 and later; empty if there are none."""
    found = _suffixed(f"{name}-".lower(), entries, names, notes)
    if found:
        _tell_others(name, f"{name}_".lower(), entries, names, notes)
    return found


def files_2013(name: str, entries: list, names: dict[str, str], notes: list[str]) -> dict[str, list[str]]:
    """Paths by modality of the images in a folder that are named as in 2013 and 2015; empty if there are none."""
    found = {}
    for entry in entries:
        match = VSD.match(entry.name)
        if match and (entry.is_dir() or stem_of(entry.name) is not None):
            key = MASK if match["mask"] else names.get(plain(match["modality"]))
            if key and (path := image_of(entry, notes)):
                found.setdefault(key, []).append(path)
    return found


def _tell_others(name: str, prefix: str, entries: list, names: dict[str, str], notes: list[str]) -> None:
    """Add a note on the images of a subject that are named as in another year."""
    others = [path for paths in _suffixed(prefix, entries, names, []).values() for path in paths]
    if others:
        found = ", ".join(path.rpartition("/")[2] for path in others)
        notes.append(
            f"{name}: its files are named as in two years, and {found} {'are' if len(others) > 1 else 'is'} not read; "
            "name all files of a subject alike"
        )


def _suffixed(prefix: str, entries: list, names: dict[str, str], notes: list[str]) -> dict[str, list[str]]:
    found = {}
    for entry in entries:
        # DICOM slices of a modality are in a folder of its name.
        stem = entry.name if entry.is_dir() and stem_of(entry.name) is None else stem_of(entry.name)
        if stem is None or not stem.lower().startswith(prefix):
            continue
        suffix = plain(stem[len(prefix) :])
        key = MASK if suffix in MASKS else names.get(suffix)
        if key and (path := image_of(entry, notes)):
            found.setdefault(key, []).append(path)
    return found


def _subjects(root, files, dialect, labels, names, notes) -> dict[str, SubjectFiles]:
    base = Path(root).absolute()
    # A table such as name_mapping.csv may also be in the folder above the root.
    tables = [entry.path for entry in listing(str(base.parent), []) if is_covariate_table(entry.name)]

    others = []

    def look(place):
        tables.extend(entry.path for entry in place.entries if is_covariate_table(entry.name))
        if candidates := _candidates(files, place, names):
            return place, candidates
        others.append(place)
        return None

    found = list(descend(root, look))
    masks, others = masks_elsewhere(others, {_subject(place.name).lower() for place, _ in found}, notes)
    patients = {(name := _subject(place.name)): patient_of(name) for place, _ in found}
    rows, subjects, where = covariates_of(tables, {*patients, *patients.values()}, notes, brats_rows), {}, {}
    lost = lost_subjects([place for place, _ in found], others, notes)
    above = [base.name, base.parent.name, base.parent.parent.name]
    for place, candidates in [*found, *lost]:
        name, folder, groups, own = _subject(place.name), place.folder, place.groups[:-1], place.notes
        if candidates and (paths := masks.get(name.lower())):
            candidates[MASK] = [*candidates.get(MASK, []), *paths]
        grades = [GRADES[group.upper()] for group in groups if group.upper() in GRADES]
        covariates = {"grade": grades[0]} if grades else {}
        patient = patients.get(name) or patient_of(name)
        covariates |= rows.get(patient, {}) | rows.get(name, {})
        if name.isdecimal() and groups:
            name = patient = f"{groups[-1]}_{name}"  # in 2013, HG/0001 and LG/0001 are two patients
        if not candidates and name in subjects:
            notes.extend(own)
            continue
        chosen = dialect(name, _years([*reversed(groups), *above])) if labels == "auto" else labels
        subject = SubjectFiles(one_each(name, candidates, own), chosen, covariates, patient)
        subject = subject._replace(notes=tuple(own))
        insert(subjects, where, name, folder, subject)
    return subjects


def _candidates(files: Callable, place: Place, names: dict[str, str]) -> dict[str, list[str]]:
    """Paths by modality of the subject that a folder is; empty if it is none."""
    found = files(place.name, place.entries, names, place.notes)
    if place.groups:
        return found
    stems = [plain(stem_of(path.rpartition("/")[2]) or "") for paths in found.values() for path in paths]
    folders = any(entry.is_dir() and stem_of(entry.name) is None for entry in place.entries)
    # The root of a data set may hold a template called t1.nii beside the folders of the subjects.
    return {} if folders and set(stems) <= {*names, *MASKS} else found


def masks_elsewhere(
    places: list[Place], subjects: set[str], notes: list[str]
) -> tuple[dict[str, list[str]], list[Place]]:
    """The masks `SUBJECT_segm` or `SUBJECT_seg` by subject in folders of masks, and all other folders.

    subjects: their names in lower case. The other images of a folder of masks get a note.
    """
    masks, others = {}, []
    for place in places:
        images = {entry.path: ELSEWHERE.fullmatch(stem) for entry in place.entries if (stem := stem_of(entry.name))}
        owners = {path: match["subject"].lower() for path, match in images.items() if match}
        owners = {path: subject for path, subject in owners.items() if subject in subjects}
        for path, subject in owners.items():
            masks.setdefault(subject, []).append(path)
        if not owners:
            others.append(place)
        elif strange := [path for path in images if path not in owners]:
            notes.append(f"{place.folder} holds {len(strange)} images of no subject, such as {strange[0]}")
        notes.extend(place.notes if owners else [])
    return masks, others


def _subject(folder: str) -> str:
    """The name of a subject, by its folder: in UCSF-PDGM, folders end with _nifti."""
    return folder[: -len("_nifti")] if folder.lower().endswith("_nifti") else folder


def _stems(entries: list) -> set[str]:
    return {(stem_of(entry.name) or "").lower() for entry in entries}


def _years(folders: list[str]) -> set[str]:
    """The challenge years, 2023 or later, in the first folder name that has any (dates do not count); may be empty."""
    return next((years for name in folders if (years := set(YEAR.findall(name)))), set())


def _layout(expected: str, files: Callable, find: Callable) -> Layout:
    """A layout that is recognized by the file names of one subject."""
    return Layout(expected, lambda place: bool(_candidates(files, place, names_of([]))), find)


LAYOUT_2017 = _layout("SUBJECT/SUBJECT_flair.nii.gz", files_2017, brats)
LAYOUT_2023 = _layout("SUBJECT/SUBJECT-t2f.nii.gz", files_2023, brats2023)
LAYOUT_2013 = _layout("SUBJECT/VSD.Brain.XX.O.MR_Flair.54512.nii", files_2013, brats2013)
