"""The same two phantoms on disk in every layout, year, orientation and spacing that glioseg reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from studies import MODALITIES, SETTINGS, tiny_subject

from glioseg.labels import MASK, to_classes, to_values
from glioseg.layouts.find_subjects import find_subjects
from glioseg.preprocess.scan import preprocess_scan


class Kind(NamedTuple):
    """How a data set of some year is stored on disk.

    layout, labels: how it must be recognized. subjects: the names of the two subjects. place: subject and part
    ("flair", …, "seg") -> file below the root, without extension; None if there is no such file. root: the folder given
    to glioseg. four_d: whether all modalities are in one file.
    """

    layout: str
    labels: str
    subjects: tuple[str, str]
    place: Callable[[str, str], str | None]
    root: str = "."
    four_d: bool = False


NEW_NAMES = {"flair": "t2f", "t1": "t1n", "t1ce": "t1c", "t2": "t2w", "seg": "seg"}
VSD = {"flair": "MR_Flair", "t1": "MR_T1", "t1ce": "MR_T1c", "t2": "MR_T2", "seg": "OT"}
BIDS = {"flair": "FLAIR", "t1": "T1w", "t1ce": "ce-gadolinium_T1w", "t2": "T2w"}


def _2020(subject, part):
    odd = subject.endswith("355") and part == "seg"
    return f"MICCAI_BraTS2020_TrainingData/{subject}/" + ("W39_1998.09.19_Segm" if odd else f"{subject}_{part}")


def _vsd(folder):
    def place(subject, part):
        name = f"VSD.Brain{'_3more' if part == 'seg' else ''}.XX.O.{VSD[part]}.54512"
        return f"{folder}/{subject}/{name}.nii/{name}"

    return place


def _new(subject, part):
    return f"{subject}/{subject}-{NEW_NAMES[part]}"


def _bids(images, masks):
    def place(subject, part):
        anat = f"{subject.replace('_', '/')}/anat/{subject}"
        return f"{masks}{anat}_dseg" if part == "seg" else f"{images}{anat}_{BIDS[part]}"

    return place


def _msd(subject, part):
    return f"labelsTr/{subject}" if part == "seg" else f"imagesTr/{subject}"


KINDS = {
    "2013": Kind("brats2013", "brats2013", ("HG_0001", "HG_0002"), lambda s, p: _vsd("HG")(s[3:], p)),
    "2015": Kind("brats2013", "brats2013", ("brats_tcia_pat101_0001", "brats_tcia_pat102_0001"), _vsd("LGG")),
    "2017": Kind("brats", "brats2020", ("Brats17_CBICA_AAB_1", "Brats17_TCIA_101_1"), lambda s, p: f"HGG/{s}/{s}_{p}"),
    "2018": Kind(
        "brats",
        "brats2020",
        ("Brats18_2013_2_1", "Brats18_TCIA_101_1"),
        lambda s, p: f"MICCAI_BraTS_2018_Data_Training/LGG/{s}/{s}_{p}",
    ),
    "2019": Kind("brats", "brats2020", ("BraTS19_2013_2_1", "BraTS19_TCIA_101_1"), lambda s, p: f"HGG/{s}/{s}_{p}"),
    "2020": Kind("brats", "brats2020", ("BraTS20_Training_001", "BraTS20_Training_355"), _2020),
    "2020 copies": Kind(
        "brats",
        "brats2020",
        ("BraTS20_Training_001", "BraTS20_Training_002"),
        lambda s, p: f"archive/Data/{s}/{s}_{p}.nii/{s}_{p}",
    ),
    "2020 validation": Kind(
        "brats",
        "brats2020",
        ("BraTS20_Validation_001", "BraTS20_Validation_002"),
        lambda s, p: None if p == "seg" else f"{s}/{s}_{p}",
    ),
    "2021": Kind("brats", "brats2020", ("BraTS2021_00000", "BraTS2021_00002"), lambda s, p: f"{s}/{s}_{p}"),
    "2023 GLI": Kind("brats2023", "brats2023", ("BraTS-GLI-00000-000", "BraTS-GLI-00002-001"), _new),
    "2023 MET": Kind("brats2023", "brats2023", ("BraTS-MET-00001-000", "BraTS-MET-00002-000"), _new),
    "2023 MEN": Kind("brats2023", "brats2023", ("BraTS-MEN-00001-000", "BraTS-MEN-00002-000"), _new),
    "2023 SSA": Kind("brats2023", "brats2023", ("BraTS-SSA-00002-000", "BraTS-SSA-00007-000"), _new),
    "2023 PED": Kind(
        "brats2023",
        "brats2023",
        ("BraTS-PED-00001-000", "BraTS-PED-00002-000"),
        lambda s, p: f"ASNR-MICCAI-BraTS2023-PED-Challenge-TrainingData/{_new(s, p)}",
    ),
    "2024 GLI": Kind("brats2023", "brats2024", ("BraTS-GLI-00005-100", "BraTS-GLI-00005-101"), _new),
    "2024 PED": Kind(
        "brats2023",
        "brats2024-ped",
        ("BraTS-PED-00001-000", "BraTS-PED-00002-000"),
        lambda s, p: f"BraTS-PEDs2024_Training/{_new(s, p)}",
        root="BraTS-PEDs2024_Training",
    ),
    "2025 MET": Kind(
        "brats2023",
        "brats2024",
        ("BraTS-MET-00001-000", "BraTS-MET-00002-000"),
        lambda s, p: f"MICCAI-LH-BraTS2025-MET-Challenge-Training/{_new(s, p)}",
    ),
    "msd": Kind("msd", "msd", ("BRATS_001", "BRATS_002"), _msd, four_d=True),
    "bids": Kind("bids", "brats2023", ("sub-01", "sub-02"), _bids("", "derivatives/masks/")),
    "bids sessions": Kind("bids", "brats2024", ("sub-01_ses-a", "sub-01_ses-b"), _bids("", "")),
    "bids derivatives": Kind("bids", "msd", ("sub-01", "sub-02"), _bids("derivatives/a/", "derivatives/b/")),
    "table": Kind("table", "brats2024-ped", ("anne", "bo b"), lambda s, p: f"files/{p} of {s}"),
    "table 4-D": Kind("table", "msd", ("anne", "bo b"), lambda s, p: f"{s}{p if p == 'seg' else ''}", four_d=True),
}
# The user has to set the label dialect if names do not reveal it.
LABELS = {name: kind.labels if kind.layout == "bids" else "auto" for name, kind in KINDS.items()}


def write_cohort(
    folder: Path, name: str, *, orientation="LPS", tilt_degrees=0.0, spacing_mm=(1.0, 1.0, 1.0), ending=".nii.gz"
) -> dict:
    """Write subjects 1 and 2 of `tiny_subject` as the entry `name` of `KINDS` stores them, and return the source.

    orientation: directions of the array's axes. tilt_degrees: rotation of the head about the left-right axis.
    spacing_mm: along the left-right, front-back and foot-head axes.
    """
    kind = KINDS[name]
    tables = {"2020": _tables_2020, "msd": _dataset_json, "table": _table, "table 4-D": _table}
    for number, subject in enumerate(kind.subjects, start=1):
        images, mask = tiny_subject(number)
        values = to_values(to_classes(mask, "brats2020"), kind.labels)
        volumes = {kind.place(subject, part): volume for part, volume in images.items()}
        if kind.four_d:
            volumes = {kind.place(subject, "flair"): np.stack(list(images.values()), axis=-1)}
        volumes[kind.place(subject, "seg")] = values
        for place, volume in volumes.items():
            if place is not None:
                voxels, affine = turned(volume, orientation, tilt_degrees, spacing_mm)
                path = folder / f"{place}{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                nib.save(nib.Nifti1Image(voxels, affine), path)
    tables.get(name, lambda *_: None)(folder, kind, ending)
    return {"folder": str(folder / kind.root), "layout": "auto", "labels": LABELS[name], "prefix": ""}


def turned(volume, orientation, tilt_degrees, spacing_mm) -> tuple[np.ndarray, np.ndarray]:
    """A volume in LPS order as a scanner would store it, and its affine (4x4, mm)."""
    angle = np.deg2rad(tilt_degrees)
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.diag([-1, -1, 1]) @ np.diag(spacing_mm)
    affine[:3, 3] = 20, 30, -10
    turn = ornt_transform(axcodes2ornt("LPS"), axcodes2ornt(orientation))
    return apply_orientation(volume, turn), affine @ inv_ornt_aff(turn, volume.shape[:3])


def _tables_2020(folder, kind, ending):
    (folder / "MICCAI_BraTS2020_TrainingData" / "name_mapping.csv").write_text(
        "Grade,BraTS_2017_subject_ID,BraTS_2020_subject_ID\nHGG,Brats17_CBICA_AAB_1,BraTS20_Training_001\n"
        "LGG,NA,BraTS20_Training_355\n"
    )
    (folder / "survival_info.csv").write_text(
        "Brats20ID,Age,Survival_days,Extent_of_Resection\nBraTS20_Training_001,60.46,289,GTR\n"
    )


def _dataset_json(folder, kind, ending):
    modality = {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"}
    (folder / "dataset.json").write_text(json.dumps({"name": "BRATS", "modality": modality}))


def _table(folder, kind, ending):
    parts = ["flair", "t1", "t1ce", "t2", "seg"]
    lines = [["subject", "FLAIR", "T1w", "T1-Gd", "T2", "mask", "labels", "age"]]
    for subject in kind.subjects:
        files = [f"{kind.place(subject, part)}{ending}" for part in parts]
        if kind.four_d:
            files[:4] = [f"{files[0]}:{index}" for index in range(4)]
        lines.append([subject, *files, kind.labels, "61"])
    (folder / "cohort.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))


PLAIN = {"layout": "auto", "labels": "auto", "prefix": ""}


def touch(root: Path, *names: str) -> Path:
    """Create empty files and return the root; layouts are recognized by names alone."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path, modalities=MODALITIES, **source):
    """The subjects of a folder. Layout and labels are recognized unless they are given in source."""
    return find_subjects([PLAIN | {"folder": str(root)} | source], list(modalities))


def preprocessed(name: str, subject):
    """Preprocess a subject that was found; returns its facts (scan.json) and arrays."""
    files = {part: (Path(file.path), file.volume) for part, file in subject.files.items()}
    mask = files.pop(MASK, None)
    return preprocess_scan(name, files, mask, SETTINGS | {"labels": subject.labels})
