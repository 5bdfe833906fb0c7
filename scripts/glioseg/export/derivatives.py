"""Segmentations as a data set of BIDS derivatives, version 1.10.0 (https://bids-specification.readthedocs.io)."""

import re
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from glioseg.files import descriptions, whole, write_json, write_table, write_text
from glioseg.labels import REGION_NAMES
from glioseg.layouts.bids import DESCRIPTION, OURS, description_of
from glioseg.volumes.label_tables import labels_of

# plain: predict/SUBJECT.nii.gz alone; bids: also the data set.
LAYOUTS = ("plain", "bids")
LABEL_COLUMNS = ("index", "name", "color")
PARTICIPANT_COLUMNS = ("participant_id", "patient")
# BIDS calls the grid of the scan itself "orig".
SEGMENTATION = f"space-orig_desc-{OURS}_dseg"
PROBABILITY = f"space-orig_label-{{region}}_desc-{OURS}_probseg"
ADVICE = "leave one of them out (exclude), give a data set a prefix (data: prefix), or set predict: layout to plain"
README = """# Brain tumor segmentations

This data set holds segmentations of brain tumors that glioseg predicted. No expert drew or checked them, and they are
not meant for medical use.

- `*_dseg.nii.gz` is the segmentation of a scan, on the scan's own grid. `dseg.tsv`, or the `*_dseg.tsv` beside it, has
  the names and colors of its values.
- `*_probseg.nii.gz` is the probability of a region, from 0 to 1: WT is the whole tumor, TC the tumor core, ET the
  enhancing tumor.
- `participants.tsv` has the patient's name in the original data, and the JSON file beside an image that of the scan.
  BIDS allows only letters and digits in names, so that other characters are left out here.
"""


def bids_names(patients: Mapping[str, str]) -> dict[str, str]:
    """Subject -> its name in BIDS: sub-01, or sub-01_ses-a if the patient's name is not the subject's own.

    patients: subject -> patient. BIDS allows only letters and digits after sub- and ses-, so other characters are left
    out. Raises ValueError if nothing is left of a patient's name, or if two patients or two subjects would have the
    same name, apart from upper and lower case, which some file systems do not distinguish.
    """
    names, owners = {}, {}
    for subject, patient in patients.items():
        participant = _label(patient, "sub-")
        session = _label("" if subject == patient else subject.removeprefix(patient), "ses-")
        if not participant:
            raise ValueError(
                f"predict: layout: bids requires a letter (a to z) or a digit in the name of a patient, found "
                f"{patient!r}; {ADVICE}"
            )
        names[subject] = f"sub-{participant}" + (f"_ses-{session}" if session else "")
        for whose, ours, theirs in (("patient", patient, f"sub-{participant}"), ("subject", subject, names[subject])):
            other = owners.setdefault((whose, theirs.lower()), ours)
            if other != ours:
                raise ValueError(
                    f"predict: layout: bids would give the {whose}s {other} and {ours} the same name, {theirs}, since "
                    f"BIDS allows only letters and digits; {ADVICE}"
                )
    return names


def _label(name: str, key: str) -> str:
    """The letters and digits of a name without the key (sub- or ses-) that a name of BIDS itself has."""
    return re.sub(r"[^A-Za-z0-9]", "", re.sub(f"(?<![A-Za-z0-9]){key}", "", name))


def place_of(name: str) -> str:
    """The folder of a subject in the data set, by its name in BIDS: sub-01/ses-a."""
    return name.replace("_", "/")


def endings_of(regions: Iterable[str], own_labels: bool) -> list[str]:
    """How the files of a subject end after its name in BIDS; the first is the segmentation.

    own_labels: whether the subject has its own table of labels.
    """
    stems = [SEGMENTATION, *(PROBABILITY.format(region=region) for region in regions)]
    files = [f"{stem}{ending}" for stem in stems for ending in (".nii.gz", ".json")]
    return files + [f"{SEGMENTATION}.tsv"] * own_labels


def write_subject(start: str, subject: str, prediction: Path, maps: Mapping[str, Path], dialect: str | None) -> None:
    """Copy the segmentation of a subject, and the probability maps of regions, each with a JSON file that describes it.

    start: how the paths of its files start: FOLDER/sub-01/anat/sub-01; dialect: the label dialect, whose table is
    written, too, or None.
    """
    facts = {"Description": f"Segmentation of the brain tumor of {subject}", "Manual": False}
    columns = _write_labels(Path(f"{start}_{SEGMENTATION}.tsv"), dialect) if dialect else {}
    _write_image(f"{start}_{SEGMENTATION}", prediction, facts | columns)
    for region, path in maps.items():
        words = f"Probability of the {REGION_NAMES[region]} of {subject}, from 0 to 1"
        _write_image(f"{start}_{PROBABILITY.format(region=region)}", path, {"Description": words})


def _write_image(stem: str, source: Path, facts: dict) -> None:
    with whole(f"{stem}.nii.gz") as partial:
        # Not a link: a viewer that saves a corrected segmentation here must not change the result of the study.
        shutil.copyfile(source, partial)
    write_json(f"{stem}.json", facts | {"SpatialReference": "orig"})


def participants_of(patients: Mapping[str, str], left_out: Collection[str]) -> dict[str, str]:
    """The name in BIDS of each patient of some subjects -> the patient's own name.

    patients: subject -> patient; left_out: subjects without a segmentation, by their own name or by that in BIDS.
    """
    names = bids_names({subject: patient for subject, patient in patients.items() if subject not in left_out})
    return {name.partition("_")[0]: patients[subject] for subject, name in names.items() if name not in left_out}


def write_data_set(
    folder: Path, participants: Mapping[str, str], dialects: Sequence[str], sources: Iterable[Path], version: str
) -> None:
    """Write what describes the data set as a whole: its description, its participants, its labels, and a README.

    participants: as `participants_of` returns them; dialects: the label dialects of the subjects, whose labels are
    described here if all have the same. sources: the data sets of the scans, whose DOIs are stated if they have one;
    version: of glioseg.
    """
    rows = [dict(zip(PARTICIPANT_COLUMNS, pair, strict=True)) for pair in sorted(participants.items())]
    write_table(folder / "participants.tsv", PARTICIPANT_COLUMNS, rows)
    if len(dialects) == 1:
        _write_labels(folder / "dseg.tsv", *dialects)
    write_text(folder / "README.md", README)
    facts = {"Name": "Brain tumor segmentations", "BIDSVersion": "1.10.0", "DatasetType": "derivative"}
    facts["GeneratedBy"] = [{"Name": OURS, "Version": version}]
    known = [{"DOI": doi} for path in sources if (doi := description_of(path).get("DatasetDOI"))]
    write_json(folder / DESCRIPTION, facts | ({"SourceDatasets": known} if known else {}))


def _write_labels(path: Path, dialect: str) -> dict[str, dict]:
    """Write the table of a label dialect; returns the descriptions of its columns."""
    rows = [dict(zip(LABEL_COLUMNS, label, strict=True)) for label in labels_of(dialect)]
    write_table(path, LABEL_COLUMNS, rows)
    return descriptions(LABEL_COLUMNS, {})
