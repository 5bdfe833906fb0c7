"""Find the subjects of all sources, with one file per modality. Folders are listed, but no image is opened."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from glioseg.choices import choose
from glioseg.labels import DIALECTS, MASK, OF_PHANTOMS
from glioseg.layouts import bids, brats, msd, table
from glioseg.layouts.folders import LEVELS, File, Place, SubjectFiles, descend, insert, listing
from glioseg.layouts.lost import with_usable_name
from glioseg.layouts.modalities import MODALITIES, names_of
from glioseg.layouts.table import table_in

# In the order in which they are tried.
LAYOUTS = {
    "table": table.LAYOUT,
    "msd": msd.LAYOUT,
    "bids": bids.LAYOUT,
    "brats": brats.LAYOUT_2017,
    "brats2023": brats.LAYOUT_2023,
    "brats2013": brats.LAYOUT_2013,
}

# Without masks, the label dialect only decides in which values predictions are written.
LABELS_WITHOUT_MASKS = "brats2020"


class Source(NamedTuple):
    """What was found in a source: its layout, its subjects by name, and notes on what was left out.

    general: notes that concern no single subject; of_subjects: the notes of all subjects.
    """

    layout: str
    subjects: dict[str, SubjectFiles]
    general: list[str]
    of_subjects: list[str]

    @property
    def notes(self) -> list[str]:
        """All notes."""
        return [*self.general, *self.of_subjects]


def recognize(root: str) -> str:
    """The name of the first layout that fits a folder or a table file, judged by file and folder names alone.

    Raises ValueError if none fits; it lists the names that were looked for and the folder's content.
    """
    root, notes = _place(root), []
    if table_in(root) == root:
        return "table"

    def look(place: Place) -> str | None:
        found = next((name for name, layout in LAYOUTS.items() if layout.recognize(place)), None)
        notes.extend(place.notes)
        return found

    found = next(descend(root, look), None)
    if found is None:
        looked_for = ", ".join(f"{layout.expected} ({name})" for name, layout in LAYOUTS.items())
        raise ValueError(
            f"data: no known layout in {root}; looked for {looked_for}, at most {LEVELS} folders deep; "
            f"found {_content(root, notes)}"
        )
    return found


def read_source(
    source: dict, modalities: list[str], without_masks: str = LABELS_WITHOUT_MASKS, insist: bool = True
) -> Source:
    """Find all subjects and files of a source.

    source: folder, layout (or "auto"), labels (a dialect or "auto"), prefix (of the names of subjects and patients).
    modalities: those to look for in addition to flair, t1, t1ce and t2. without_masks: label dialect of subjects that
    have no mask and whose layout does not tell it. insist: False keeps "auto" for masks in a dialect that cannot be
    recognized. Raises ValueError if the folder or the layout does not exist, if no subject is found, or if the label
    dialect of a mask cannot be recognized.
    """
    root, layout, labels = _place(source["folder"]), source["layout"], source["labels"]
    choose("labels", labels, ("auto", *DIALECTS))
    choose("layout", layout, ("auto", *LAYOUTS))
    if "/" in source["prefix"]:
        raise ValueError(f"prefix: {source['prefix']!r} would turn subject names into folders; leave out the /")
    names, notes = names_of(modalities), []
    if layout == "auto":
        layout = recognize(root)
    if layout == "table" and not table_in(root):
        raise ValueError(
            f"data: no table in {root}; expected {LAYOUTS['table'].expected}; found {_content(root, notes)}"
        )
    found = LAYOUTS[layout].find(root, labels, names, notes)
    if not found:
        expected = f"{LAYOUTS[layout].expected} (layout {layout})"
        raise ValueError(f"data: no subject found in {root}; expected {expected}; found {_content(root, notes)}")
    masked = [name for name, subject in found.items() if subject.labels == "auto" and MASK in subject.files]
    if masked and insist:
        raise ValueError(
            f"data: the label dialect of the mask of {masked[0]} in {root} cannot be recognized; set labels to one of "
            f"{', '.join(DIALECTS)}" + (", or add a column labels to the table" if layout == "table" else "")
        )
    subjects = {}
    for name, subject in sorted(found.items()):
        if subject.labels == "auto" and MASK not in subject.files:
            subject = subject._replace(labels=without_masks)
        if subject.labels not in (*DIALECTS, "auto"):
            raise ValueError(
                f"data: {name} in {root} has the unknown label dialect {subject.labels!r}; expected one of "
                f"{', '.join(DIALECTS)}"
            )
        subjects[source["prefix"] + name] = subject._replace(patient=source["prefix"] + subject.patient)
    return Source(layout, subjects, notes, [note for subject in subjects.values() for note in subject.notes])


def phantom_subjects(folder: str, count: int, kinds: str, modalities: list[str]) -> dict[str, SubjectFiles]:
    """The synthetic subjects phantom_001 to phantom_COUNT, whose files need not exist yet.

    Raises ValueError as `insist_on_modalities` does.
    """
    insist_on_modalities(modalities, MODALITIES, "phantoms")
    parts = [name for name in (*modalities, MASK) if name in (*MODALITIES, MASK)]
    names = [f"phantom_{number:03d}" for number in range(1, count + 1)]
    files = {name: {part: File(f"{folder}/{name}/{name}_{part}.nii.gz") for part in parts} for name in names}
    return {name: SubjectFiles(files[name], OF_PHANTOMS[kinds], {}, name) for name in names}


def registered_subjects(subjects: dict[str, SubjectFiles], folder: str) -> dict[str, SubjectFiles]:
    """The subjects with the files that `register` writes into FOLDER/SUBJECT, which need not exist yet."""
    return {
        name: subject._replace(files={key: File(f"{folder}/{name}/{key}.nii.gz") for key in subject.files})
        for name, subject in subjects.items()
    }


def insist_on_modalities(modalities: Sequence[str], found: Collection[str], place: str) -> None:
    """Raise ValueError if a configured modality has another name in glioseg, or no file in the whole data set."""
    names_of(modalities)
    lacking = [name for name in modalities if name not in found]
    if lacking:
        raise ValueError(
            f"modalities: no subject of {place} has a file for {', '.join(lacking)}; found "
            f"{', '.join(name for name in found if name != MASK) or 'none'}; correct the setting modalities"
        )


def find_subjects(sources: list[dict], modalities: list[str]) -> dict[str, SubjectFiles]:
    """The subjects of all sources: `joined` results of `read_source`. Raises ValueError as these two functions do."""
    return joined(sources, [read_source(source, modalities) for source in sources], modalities)


def joined(sources: list[dict], found: list[Source], modalities: list[str]) -> dict[str, SubjectFiles]:
    """Subjects of all sources, sorted by name, each with the files of the wanted modalities and then the mask.

    A missing file has no entry. A subject whose name the workflow cannot use has no files. Raises ValueError if two
    sources have a subject of the same name.
    """
    subjects, where = {}, {}
    for source, of_source in zip(sources, found, strict=True):
        for name, subject in of_source.subjects.items():
            files = {key: subject.files[key] for key in (*modalities, MASK) if key in subject.files}
            usable = with_usable_name(name, subject._replace(files=files))
            insert(subjects, where, usable[0], str(source["folder"]), usable[1])
    return dict(sorted(subjects.items()))


def _place(folder: str) -> str:
    """A source's path without ./ and //, to which Snakemake objects. Raises ValueError if the path cannot be used."""
    path = Path(folder)
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise ValueError(f"data: {folder} cannot be accessed ({error.strerror}); ask its owner for access") from error
    if not exists:
        raise ValueError(f"data: {folder} does not exist; give the folder that holds the subjects, or a table of files")
    if not is_folder and not table_in(str(path)):
        raise ValueError(f"data: {folder} is a file; give the subjects' folder, or a .tsv or .csv that names the files")
    return str(path if path.parts else path.absolute())


def _content(root: str, notes: list[str]) -> str:
    """The content of a folder and the first note on what was left out, in words."""
    entries = listing(root, [])
    folders = [entry.name for entry in entries if entry.is_dir()]
    files = [entry.name for entry in entries if not entry.is_dir()]
    parts = [
        f"{len(names)} {kind}{'s' if len(names) > 1 else ''} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in (("folder", folders), ("file", files))
        if names
    ]
    return "; ".join([" and ".join(parts) or "nothing", *notes[:1]])
