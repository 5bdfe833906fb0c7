"""Find, prepare and segment a single scan outside of a study, as the models of a study expect it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.choices import choose
from glioseg.labels import DIALECTS
from glioseg.layouts.find_subjects import read_source
from glioseg.layouts.folders import file_named
from glioseg.layouts.modalities import names_of, plain
from glioseg.model_files import CHOSEN, SETTINGS, ModelFile, size_thresholds
from glioseg.predict.model_facts import Facts, Study, learned_from, read_facts
from glioseg.predict.segment import PredictSettings, Segmentation, segment_image
from glioseg.preprocess.scan import preprocess_scan
from glioseg.scan_facts import ScanFacts
from glioseg.workflow.home import defaults


class OneScan(NamedTuple):
    """A scan to segment: modality -> (file, index of the volume in it), its models' study, and the labels to write."""

    files: dict[str, tuple[Path, int]]
    study: Study
    labels: str


def settings_of(given: Mapping[str, object], models: Sequence[ModelFile]) -> PredictSettings:
    """The settings of a prediction. A threshold that is None is that of the models, or else that of config.yaml.

    Raises ValueError if it is not given, and the models are of studies with different ones.
    """
    missing = [name for name in CHOSEN if given[name] is None]
    known = defaults("predict") | (size_thresholds(models) if missing else {})
    return PredictSettings(**{**given, **{name: known[name] for name in missing}})


def find_scan(
    images: Sequence[tuple[str, str]] | str | Path, models: Sequence[ModelFile], labels: str | None
) -> OneScan:
    """Find a scan for models, given pairs of a modality and a file (see `by_modality`), or a folder (`subject_in`).

    labels: the label dialect to write; None: that of the subject's layout, or else that of the models. Raises
    ValueError if the models or the images cannot be used.
    """
    if not models:
        raise ValueError("no model was given; give one or more")
    if labels:
        choose("labels", labels, DIALECTS)
    study = insist_on_study(read_facts(models), models[0])
    if isinstance(images, str | Path):
        files, known = subject_in(Path(images), study)
    else:
        files, known = by_modality(images, study["modalities"]), study["labels"]
    return OneScan(files, study, labels or known)


def segment_scan(
    name: str,
    scan: OneScan,
    models: Sequence[ModelFile],
    settings: PredictSettings,
    registered: dict | None = None,
) -> tuple[ScanFacts, Segmentation, list[str]]:
    """Return the facts of a scan (`scan.json`), its segmentation, and warnings of the checks and of the models.

    name: name of the subject, for messages; registered: register.json, if the scan is registered. Raises ValueError
    with the reason of the checks if the scan cannot be used.
    """
    facts, image, warning = prepare(name, scan.files, scan.study, scan.labels, registered)
    warnings = [warning] if warning else []
    warnings += [
        f"{model} learned from this scan, its training subject {trained}; this segmentation says nothing of how well "
        "the model segments a new patient"
        for model, trained in learned_from(models, facts["hashes"]).items()
    ]
    return facts, segment_image(image, facts, models, settings), warnings


def insist_on_study(facts: Facts, model: ModelFile) -> Study:
    """Return how to prepare scans for a model. Raises ValueError if the model's settings.json does not record it."""
    known = tuple(Study.__annotations__)
    missing = [name for name in known if name not in facts.study]
    if missing:
        raise ValueError(
            f"{model.parent / SETTINGS}: expected a study with {', '.join(known)}, found no "
            f"{', '.join(missing)}; train the model again, or predict with the workflow"
        )
    return facts.study


def subject_in(folder: Path, study: Study) -> tuple[dict[str, tuple[Path, int]], str]:
    """Return modality -> (file, index of the volume in it), and the label dialect, of one subject in a known layout.

    folder: of the subject, or of one of its sessions in BIDS. The dialect is that of the layout, or the study's if the
    layout does not tell it. Raises ValueError if the folder holds no subject, or more than one, or several
    files for a modality.
    """
    root, wanted = _in_bids(folder)
    source = {"folder": str(root), "layout": "auto", "labels": "auto", "prefix": ""}
    names = list(study["modalities"])
    try:
        found = read_source(source, names, study["labels"]).subjects
    except ValueError:  # a mask in an unknown dialect, which is not needed; any other error is raised again
        found = read_source(source | {"labels": study["labels"]}, names).subjects
    found = {name: subject for name, subject in found.items() if not wanted or f"{name}_".startswith(f"{wanted}_")}
    if len(found) != 1:
        raise ValueError(
            f"{folder}: expected the folder of one subject, found {', '.join(found) or 'none'}; choose one"
        )
    (subject,) = found.values()
    if subject.notes:
        raise ValueError("\n".join(subject.notes))
    files = {key: subject.files[key] for key in names if key in subject.files}
    return {key: (Path(file.path), file.volume) for key, file in files.items()}, subject.labels


def _in_bids(folder: Path) -> tuple[Path, str]:
    """The BIDS data set around the folder of a subject or session, and its name; for others the folder and ""."""
    session = folder.absolute()
    person = session.parent if session.name.startswith("ses-") else session
    if person.name.startswith("sub-") and any(next(session.glob(path), None) for path in ("anat", "ses-*/anat")):
        return person.parent, "_".join(dict.fromkeys((person.name, session.name)))
    return folder, ""


def by_modality(images: Sequence[tuple[str, str]], modalities: Sequence[str]) -> dict[str, tuple[Path, int]]:
    """Return modality -> (file, index of the volume in it) for pairs of a modality and a file, or `FILE:2`.

    A modality may have any name that the layouts know (t2f means flair). Raises ValueError for a file that does not
    exist, if a modality has two files, and for one that is not among the modalities of the model.
    """
    names, found = names_of(list(modalities)), {}
    for given, text in images:
        name = names.get(plain(given), given)
        path, volume = file_named(text)
        if name not in modalities:
            raise ValueError(f"the model takes {', '.join(modalities)}, not {given}; give only its modalities")
        if not Path(path).exists():
            raise ValueError(f"{given}: {path} does not exist")
        if name in found:
            raise ValueError(f"{name} has two files, {found[name][0]} and {path}; expected one: leave one out")
        found[name] = (Path(path), volume)
    return found


def insist_on_unused(output: Path, images: Mapping[str, tuple[Path, int]]) -> None:
    """Raise ValueError if the file to write is one of the images, which it would overwrite."""
    for modality, (path, _) in images.items():
        if output.exists() and output.samefile(path):
            raise ValueError(f"{output} is the file for {modality}; expected another file for the label map")


def prepare(
    name: str,
    images: Mapping[str, tuple[Path, int]],
    study: Study,
    labels: str,
    registered: dict | None = None,
) -> tuple[ScanFacts, np.ndarray, str]:
    """Return the scan's facts (`scan.json`), its image (X, Y, Z, C), and the warnings of the checks ("" if none).

    name: name of the subject, for messages; labels: label dialect; registered: as of `segment_scan`. Raises ValueError
    with the reason of the checks if the scan cannot be used.
    """
    settings = study["preprocess"] | {"modalities": study["modalities"], "labels": labels, "forced": False}
    scan, arrays = preprocess_scan(name, dict(images), None, settings, registered)
    if scan["verdict"] == "excluded":
        raise ValueError(f"{name} cannot be segmented: {scan['reason']}")
    return scan, arrays["image"], scan["reason"]
