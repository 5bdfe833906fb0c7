"""The BIDS layout (Gorgolewski et al. 2016, doi:10.1038/sdata.2016.44) of raw data and derivatives."""

from pathlib import Path
from typing import NamedTuple

from glioseg.files import read_json
from glioseg.labels import MASK
from glioseg.layouts.covariates import EMPTY, Rows, covariates_of
from glioseg.layouts.folders import Layout, Place, SubjectFiles, descend, image_of, listing, one_each, stem_of
from glioseg.layouts.modalities import plain

# FreeSurfer's derivatives hold segmentations of healthy anatomy, which are not tumor masks.
ANATOMY = ("aseg", "aparcaseg")
# The description of a data set, and who wrote it, if it holds segmentations of this workflow.
DESCRIPTION, OURS = "dataset_description.json", "glioseg"
LACKING = ("holds no image that this layout knows", "has no folder anat")


class Image(NamedTuple):
    """An image of a subject: its path, its folder, and the entities in its name ("space": "MNI")."""

    path: str
    folder: str
    entities: dict[str, str]


def bids(root: str, labels: str, names: dict[str, str], notes: list[str]) -> dict[str, SubjectFiles]:
    """Find the subjects of a BIDS data set, in the folder itself and in derivatives/*.

    Images are `sub-*/[ses-*/]anat/*_T1w.nii[.gz]` (t1ce if the name has a ce- entity), T2w and FLAIR. Masks are *dseg,
    or *mask with label-tumor or label-lesion. Each session of a patient is one subject. If a modality has several
    files, those in the mask's space are preferred, then those in the mask's folder. Covariates come from
    participants.tsv. Labels "auto" are returned unchanged, and the caller decides.
    """
    images, tables, of_subject = {}, [], {}

    def look(place: Place) -> str | None:
        if is_bids(place.folder, place.entries):
            return place.folder  # it is listed again below
        notes.extend(place.notes)
        return None

    for base in descend(root, look):
        for folder in _data_sets(base, notes):
            broken, own = [], []
            entries = listing(folder, own, broken)
            tables += [entry.path for entry in entries if entry.name == "participants.tsv"]
            empty: dict[str, str] = {}
            anatomies = list(_anatomies(entries, notes, empty))
            for name, anat in anatomies:
                for entry in listing(anat, of_subject.setdefault(name, [])):
                    _sort_in(images.setdefault(name, {}), entry, anat, names, of_subject[name])
                if not images.setdefault(name, {}):
                    of_subject[name].append(f"{anat} {LACKING[0]}")
            known = {name.partition("_ses-")[0] for name, _ in anatomies}
            for name, path in empty.items():
                if name.partition("_ses-")[0] in known:
                    of_subject.setdefault(name, []).append(f"{path} {LACKING[1]}")
            for entry in entries:
                if entry.name.startswith("sub-") and entry.name not in known and entry.is_dir():
                    of_subject.setdefault(entry.name, []).append(f"{entry.path} {LACKING[1]}")
            of_subject |= {name: [] for name in broken if name.startswith("sub-") and name not in of_subject}
            for note in own:
                name = note.removeprefix(f"{folder}/").partition(" ")[0]
                of_subject.get(name, notes).append(note)
    # A patient with a session has a name of its own for each session, and is not missing.
    patients = {name.partition("_ses-")[0] for name, found in images.items() if found}
    persons, subjects = covariates_of(tables, patients | set(images), notes, _participants), {}
    for name in sorted({*images, *of_subject}) if patients else ():
        patient, own = name.partition("_ses-")[0], of_subject.get(name, [])
        if images.get(name):
            files = one_each(name, _preferred(images[name]), own)
            # What one data set or derivative lacks, another one has.
            own = [note for note in own if not note.endswith(LACKING)]
        elif name != patient or patient not in patients:
            files = {}
        else:
            continue
        subjects[name] = SubjectFiles(
            files, labels, persons.get(patient, {}) | persons.get(name, {}), patient, tuple(own)
        )
    return subjects


def is_bids(folder: str, entries: list) -> bool:
    """Whether a folder holds sub-*/[ses-*/]anat, directly or in derivatives/*. Lists these folders."""
    if any(True for _ in _anatomies(entries, [])):
        return True
    if not any(entry.name == "derivatives" and entry.is_dir() for entry in entries):
        return False
    return any(True for data_set in _data_sets(folder, [])[1:] for _ in _anatomies(listing(data_set, []), []))


def _data_sets(base: str, notes: list[str]) -> list[str]:
    """A data set and its derivatives, without the segmentations of this workflow, which are no truth; with a note."""
    below = next((entry for entry in listing(base, []) if entry.name == "derivatives" and entry.is_dir()), None)
    derivatives = [entry.path for entry in (listing(below.path, notes) if below else []) if entry.is_dir()]
    ours = [path for path in derivatives if _is_ours(description_of(path))]
    notes.extend(f"{path} holds segmentations that {OURS} predicted; they are not read as masks" for path in ours)
    return [base, *(path for path in derivatives if path not in ours)]


def description_of(folder: Path | str) -> dict:
    """The dataset_description.json of a data set; empty if it has none that can be read."""
    try:
        return read_json(Path(folder, DESCRIPTION))
    except (OSError, ValueError):
        return {}


def _is_ours(description: dict) -> bool:
    """Whether this workflow wrote the data set with a description."""
    writers = description.get("GeneratedBy")
    return isinstance(writers, list) and any(isinstance(one, dict) and one.get("Name") == OURS for one in writers)


def _anatomies(entries: list, notes: list[str], empty: dict[str, str] | None = None):
    """Yield the subject's name and the path of each anat folder; add the folders of empty sessions to `empty`."""
    for entry in entries:
        if entry.name.startswith("sub-") and entry.is_dir():
            for inner in listing(entry.path, notes):
                if inner.name == "anat" and inner.is_dir():
                    yield entry.name, inner.path
                elif inner.name.startswith("ses-") and inner.is_dir():
                    inside = listing(inner.path, notes)
                    if not inside and empty is not None:
                        empty[f"{entry.name}_{inner.name}"] = inner.path
                    for innermost in inside:
                        if innermost.name == "anat" and innermost.is_dir():
                            yield f"{entry.name}_{inner.name}", innermost.path


def _sort_in(found: dict[str, list[Image]], entry, folder: str, names: dict[str, str], notes: list[str]) -> None:
    stem = stem_of(entry.name)
    if stem is None or not stem.startswith("sub-"):
        return
    *parts, suffix = stem.split("_")
    entities = {key: value for key, _, value in (part.partition("-") for part in parts)}
    if suffix == "dseg":
        key = MASK if entities.get("desc", "").lower() not in ANATOMY else None
    elif suffix in ("mask", "roi"):
        key = MASK if entities.get("label", "").lower() in ("tumor", "tumour", "lesion") else None
    else:
        key = "t1ce" if suffix == "T1w" and "ce" in entities else names.get(plain(suffix))
    if key and (path := image_of(entry, notes)):
        found.setdefault(key, []).append(Image(path, folder, entities))


def _preferred(found: dict[str, list[Image]]) -> dict[str, list[str]]:
    """Paths by modality; if there is exactly one mask, images in its space and folder are preferred."""
    masks = found.get(MASK, [])
    if len(masks) == 1:
        (mask,) = masks
        found = {
            name: _narrowed(images, lambda image: image.entities.get("space") == mask.entities.get("space"))
            for name, images in found.items()
        }
        found = {name: _narrowed(images, lambda image: image.folder == mask.folder) for name, images in found.items()}
    return {name: [image.path for image in images] for name, images in found.items()}


def _narrowed(images: list[Image], wanted) -> list[Image]:
    return [image for image in images if wanted(image)] or images


def _participants(rows: list[dict[str, str]]) -> Rows:
    """The ids and covariates in the rows of a participants.tsv."""
    known = []
    for row in rows:
        name = row.pop("participant_id", "")
        facts = {key: value for key, value in row.items() if value.lower() not in EMPTY}
        known += [([name], facts)] if name.lower() not in EMPTY else []
    return known


LAYOUT = Layout("sub-*/anat/sub-*_FLAIR.nii.gz", lambda place: is_bids(place.folder, place.entries), bids)
