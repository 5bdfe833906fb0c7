"""The layout of the Medical Segmentation Decathlon's Task01: one 4-D file per subject."""

import json
from pathlib import Path

from glioseg.labels import MASK
from glioseg.layouts.folders import File, Layout, Place, SubjectFiles, descend, insert, listing, part_of, stem_of
from glioseg.layouts.modalities import names_of, plain
from glioseg.layouts.patients import patient_of

# The volumes of Task01_BrainTumour, used if dataset.json does not list them.
TASK01 = ["FLAIR", "T1w", "t1gd", "T2w"]
FOLDERS = ("imagesTr", "imagesTs")


def msd(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """Find the subjects of a Decathlon task: `imagesTr/SUBJECT.nii.gz`, whose volumes are the modalities.

    Masks are `labelsTr/SUBJECT.nii.gz`; the subjects in `imagesTs` have none. dataset.json gives the order of the
    volumes. Raises ValueError for the layout of nnU-Net, which looks similar.
    """
    subjects, where, dialect = {}, {}, "msd" if labels == "auto" else labels

    def look(place: Place) -> str | None:
        notes.extend(place.notes)
        return place.folder if is_msd(place.entries) else None

    for base in descend(root, look):
        volumes = [names.get(plain(name)) for name in _modalities(f"{base}/dataset.json", notes)]
        present = {entry.name for entry in listing(base, [])}
        absent: dict[str, list[str]] = {}
        folders = {
            name: _images(f"{base}/{name}", notes, absent) if name in present else {} for name in (*FOLDERS, "labelsTr")
        }
        for name in folders["labelsTr"]:
            if name not in {**folders["imagesTr"], **folders["imagesTs"], **absent}:
                absent[name] = [f"{base}/labelsTr has a mask of {name}, and imagesTr has no image"]
        if any(stem.endswith("_0000") for stem in folders["imagesTr"]):
            raise ValueError(
                f"data: {base} has the layout of nnU-Net, whose file names (…_0000.nii.gz) do not state the modality; "
                "list the files in a table (layout: table)"
            )
        for folder in FOLDERS:
            for name, path in folders[folder].items():
                files = {modality: File(path, index) for index, modality in enumerate(volumes) if modality}
                if name in folders["labelsTr"]:
                    files[MASK] = File(folders["labelsTr"][name])
                subject = SubjectFiles(files, dialect, {}, patient_of(name), tuple(absent.pop(name, ())))
                insert(subjects, where, name, f"{base}/{folder}", subject)
        for name, sentences in absent.items():
            insert(subjects, where, name, base, SubjectFiles({}, dialect, {}, patient_of(name), tuple(sentences)))
    return subjects


def _images(folder: str, notes: list[str], absent: dict[str, list[str]]) -> dict[str, str]:
    """The images in a folder by stem. absent gets a sentence for each image that is a broken link or a download."""
    broken, images = [], {}
    kept = len(notes)
    for entry in listing(folder, notes, broken):
        if (stem := stem_of(entry.name)) is not None:
            images[stem] = entry.path
        elif part := part_of(entry.name):
            absent.setdefault(part, []).append(f"{entry.path} is a part of a download; finish or repeat the download")
    for name in broken:
        if (stem := stem_of(name)) is not None:
            sentence = next(note for note in notes[kept:] if note.startswith(f"{folder}/{name} "))
            notes.remove(sentence)
            absent.setdefault(stem, []).append(sentence)
    return images


def is_msd(entries: list) -> bool:
    """Whether a folder's entries are those of a Decathlon task."""
    present = {entry.name for entry in entries}
    return "dataset.json" in present and not present.isdisjoint(FOLDERS)


def _modalities(path: str, notes: list[str]) -> list[str]:
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8"))["modality"]
        order = [str(listed[str(index)]) for index in range(len(listed))]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        notes.append(f"{path} does not list the modalities ({type(error).__name__}); assuming {', '.join(TASK01)}")
        return TASK01
    if unknown := [name for name in order if plain(name) not in names_of([])]:
        notes.append(f"{path} lists modalities that are used only if config.yaml names them: {', '.join(unknown)}")
    return order


LAYOUT = Layout("dataset.json and imagesTr", lambda place: is_msd(place.entries), msd)
