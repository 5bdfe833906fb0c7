"""The layout of the Medical Segmentation Decathlon's Task01: one 4-D file for each subject."""

import json
from pathlib import Path

from glioseg.labels import MASK
from glioseg.layouts.folders import File, Layout, SubjectFiles, descend, insert, listing, stem_of
from glioseg.layouts.modalities import names_of, plain

# Of Task01_BrainTumour, where dataset.json does not say.
TASK01 = ["FLAIR", "T1w", "t1gd", "T2w"]
FOLDERS = ("imagesTr", "imagesTs")


def msd(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """`imagesTr/SUBJECT.nii.gz`, whose volumes are the modalities; `labelsTr/SUBJECT.nii.gz`; `imagesTs` without.

    The volumes' order is dataset.json's. Raises ValueError for the layout of nnU-Net, which only looks like this one.
    """
    subjects, where = {}, {}
    for base in descend(root, lambda folder, groups, entries: folder if is_msd(entries) else None, notes):
        volumes = [names.get(plain(name)) for name in _modalities(f"{base}/dataset.json", notes)]
        present = {entry.name for entry in listing(base, [])}
        folders = {
            name: {
                stem: entry.path
                for entry in (listing(f"{base}/{name}", notes) if name in present else [])
                if (stem := stem_of(entry.name)) is not None
            }
            for name in (*FOLDERS, "labelsTr")
        }
        if any(stem.endswith("_0000") for stem in folders["imagesTr"]):
            raise ValueError(
                f"data: {base} is laid out for nnU-Net, one file for each modality (…_0000.nii.gz), whose names say "
                "neither modality nor tissue; write a table of the files (layout: table)"
            )
        for folder in FOLDERS:
            for name, path in folders[folder].items():
                files = {modality: File(path, index) for index, modality in enumerate(volumes) if modality}
                if name in folders["labelsTr"]:
                    files[MASK] = File(folders["labelsTr"][name])
                subject = SubjectFiles(files, "msd" if labels == "auto" else labels, {})
                insert(subjects, where, name, f"{base}/{folder}", subject)
    return subjects


def is_msd(entries: list) -> bool:
    """Whether a folder's entries are those of a task of the Decathlon."""
    present = {entry.name for entry in entries}
    return "dataset.json" in present and not present.isdisjoint(FOLDERS)


def _modalities(path: str, notes: list[str]) -> list[str]:
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8"))["modality"]
        order = [str(listed[str(index)]) for index in range(len(listed))]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        notes.append(f"{path} does not list the modalities ({type(error).__name__}); taken are {', '.join(TASK01)}")
        return TASK01
    if unknown := [name for name in order if plain(name) not in names_of([])]:
        notes.append(f"{path} lists modalities without a name here: {', '.join(unknown)}")
    return order


LAYOUT = Layout("dataset.json and imagesTr", lambda place: is_msd(place.entries), msd)
