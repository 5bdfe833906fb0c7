"""How a data set lies on disk: folder -> subject -> modality -> file. Lists folders, opens no image."""

import os
from pathlib import Path

ENDINGS = (".nii.gz", ".nii")
MASK = "seg"


def brats(root: Path, modalities: list[str]) -> dict[str, dict[str, Path]]:
    """BraTS 2017-2021: `SUBJECT/SUBJECT_MODALITY.nii[.gz]`, the mask `SUBJECT_seg`, or, as in 355 of 2020, `*Segm`.

    Subjects are the folders that hold at least one such file of theirs; returned sorted by name.
    """
    subjects = {}
    for folder in sorted(entry.path for entry in os.scandir(root) if entry.is_dir()):
        subject, files = Path(folder).name, {}
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            ending = next((ending for ending in ENDINGS if entry.name.endswith(ending)), None)
            if ending is None or entry.name.startswith("."):
                continue
            stem = entry.name.removesuffix(ending)
            name = stem.removeprefix(f"{subject}_")
            if stem != name and name in (*modalities, MASK):
                files.setdefault(name, Path(entry.path))
            elif stem.lower().endswith("_segm"):
                files.setdefault(MASK, Path(entry.path))
        if files:
            subjects[subject] = files
    return subjects


LAYOUTS = {"brats": brats}


def find_subjects(root: Path | str, layout: str, modalities: list[str]) -> dict[str, dict[str, Path]]:
    """Subject -> {modality or "seg": file} of a data set; what a subject lacks is simply not in its dictionary.

    Raises ValueError with a sentence where the folder or the layout does not exist or no subject is found.
    """
    root = Path(root)
    if layout not in LAYOUTS:
        raise ValueError(f"layout: {layout!r} is not known; known are {', '.join(LAYOUTS)}")
    if not root.is_dir():
        raise ValueError(f"data: the folder {root} does not exist; give the folder that holds one folder per subject")
    subjects = LAYOUTS[layout](root, modalities)
    if not subjects:
        raise ValueError(
            f"data: no subject found in {root}; expected folders such as SUBJECT/SUBJECT_{modalities[0]}.nii.gz "
            f"(layout {layout})"
        )
    return subjects
