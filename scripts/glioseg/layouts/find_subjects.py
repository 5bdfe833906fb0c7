"""How a data set lies on disk: sources -> subject -> modality -> file. Lists folders, opens no image."""

from pathlib import Path
from typing import NamedTuple

from glioseg.choices import choose
from glioseg.labels import DIALECTS, MASK
from glioseg.layouts import bids, brats, msd, table
from glioseg.layouts.folders import File, Place, SubjectFiles, descend, insert, listing
from glioseg.layouts.modalities import MODALITIES, names_of
from glioseg.layouts.table import table_in

# In the order in which they are looked for.
LAYOUTS = {
    "table": table.LAYOUT,
    "msd": msd.LAYOUT,
    "bids": bids.LAYOUT,
    "brats": brats.LAYOUT_2017,
    "brats2023": brats.LAYOUT_2023,
    "brats2013": brats.LAYOUT_2013,
}

# Where no subject has a mask, labels only say in which values predictions are written.
LABELS_WITHOUT_MASKS = "brats2020"


class Source(NamedTuple):
    """What was found in a source: its layout, its subjects by name, and what was left out, in sentences."""

    layout: str
    subjects: dict[str, SubjectFiles]
    notes: list[str]


def recognize(root: str) -> str:
    """The name of the layout that a folder (or a table's file) has, by names alone; the first that fits, from the top.

    Raises ValueError where none does; it says what was looked for, and what is there.
    """
    root, notes = _place(root), []
    if table_in(root) == root:
        return "table"

    def look(folder, groups, entries):
        place = Place(folder, groups, groups[-1] if groups else Path(root).absolute().name, entries, notes)
        return next((name for name, layout in LAYOUTS.items() if layout.recognize(place)), None)

    found = next(descend(root, look, notes), None)
    if found is None:
        looked_for = ", ".join(f"{layout.expected} ({name})" for name, layout in LAYOUTS.items())
        raise ValueError(f"data: no known layout in {root}; looked for {looked_for}; found {_content(root, notes)}")
    return found


def read_source(source: dict, modalities: list[str]) -> Source:
    """Everything that a source holds. source: folder, layout (or "auto"), labels (or "auto"), prefix (of the names).

    modalities: those that count beside flair, t1, t1ce and t2. Raises ValueError with a sentence where the folder or
    the layout does not exist, no subject is found, or the masks' labels can't be told.
    """
    root, layout, labels = _place(source["folder"]), source["layout"], source["labels"]
    choose("labels", labels, ("auto", *DIALECTS))
    choose("layout", layout, ("auto", *LAYOUTS))
    if "/" in source["prefix"]:
        raise ValueError(f"prefix: {source['prefix']!r} would make folders of names; leave out the /")
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
    if masked:
        raise ValueError(
            f"data: what the mask of {masked[0]} in {root} means can't be told from its name; name the labels: one of "
            f"{', '.join(DIALECTS)}" + (", or in a column labels of the table" if layout == "table" else "")
        )
    subjects = {}
    for name, subject in sorted(found.items()):
        if subject.labels == "auto":
            subject = subject._replace(labels=LABELS_WITHOUT_MASKS)
        if subject.labels not in DIALECTS:
            raise ValueError(
                f"data: {name} in {root} has the labels {subject.labels!r}; known are {', '.join(DIALECTS)}"
            )
        subjects[source["prefix"] + name] = subject
    return Source(layout, subjects, notes)


def phantom_subjects(folder: str, count: int, modalities: list[str]) -> dict[str, SubjectFiles]:
    """The synthetic data set phantom_001 to phantom_COUNT, which need not exist yet."""
    parts = [name for name in (*modalities, MASK) if name in (*MODALITIES, MASK)]
    names = [f"phantom_{number:03d}" for number in range(1, count + 1)]
    files = {name: {part: File(f"{folder}/{name}/{name}_{part}.nii.gz") for part in parts} for name in names}
    return {name: SubjectFiles(files[name], "brats2020", {}) for name in names}


def find_subjects(sources: list[dict], modalities: list[str]) -> dict[str, SubjectFiles]:
    """`joined` subjects of all sources, each as `read_source` finds it. Raises ValueError where either does."""
    return joined(sources, [read_source(source, modalities) for source in sources], modalities)


def joined(sources: list[dict], found: list[Source], modalities: list[str]) -> dict[str, SubjectFiles]:
    """Subjects of all sources, sorted by name, with the files of the wanted modalities and the mask, in that order.

    What a subject lacks is not in its files. Raises ValueError for a name that two sources have.
    """
    subjects, where = {}, {}
    for source, (_, of_source, _) in zip(sources, found, strict=True):
        for name, subject in of_source.items():
            files = {key: subject.files[key] for key in (*modalities, MASK) if key in subject.files}
            insert(subjects, where, name, str(source["folder"]), subject._replace(files=files))
    return dict(sorted(subjects.items()))


def _place(folder: str) -> str:
    """A source's path without what Snakemake objects to in a file's name (./ and //)."""
    path = Path(folder)
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise ValueError(f"data: {folder} cannot be looked at ({error.strerror}); ask its owner for access") from error
    if not exists:
        raise ValueError(f"data: {folder} does not exist; give the folder that holds the subjects, or a table of files")
    if not is_folder and not table_in(str(path)):
        raise ValueError(f"data: {folder} is a file; give the subjects' folder, or a .tsv or .csv that names the files")
    return str(path if path.parts else path.absolute())


def _content(root: str, notes: list[str]) -> str:
    """What lies in a folder, and the first thing in it that was left out, in words."""
    entries = listing(root, [])
    folders = [entry.name for entry in entries if entry.is_dir()]
    files = [entry.name for entry in entries if not entry.is_dir()]
    parts = [
        f"{len(names)} {kind} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in (("folders", folders), ("files", files))
        if names
    ]
    return "; ".join([" and ".join(parts) or "nothing", *notes[:1]])
