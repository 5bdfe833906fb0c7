"""Find and prepare a single scan outside of a study, as the models of a study expect it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from glioseg.labels import MASK
from glioseg.layouts.find_subjects import find_subjects
from glioseg.layouts.folders import file_named
from glioseg.predict.model_facts import Facts, Study
from glioseg.preprocess.scan import preprocess_scan
from glioseg.scan_facts import ScanFacts


def insist_on_study(facts: Facts, model: Path) -> Study:
    """Return how to prepare scans for a model. Raises ValueError if the model's settings.json does not record it."""
    known = tuple(Study.__annotations__)
    missing = [name for name in known if name not in facts.study]
    if missing:
        raise ValueError(
            f"{model.with_name('settings.json')}: expected a study with {', '.join(known)}, found no "
            f"{', '.join(missing)}; train the model again, or predict with the workflow"
        )
    return facts.study


def files_of(folder: Path, modalities: Sequence[str]) -> dict[str, tuple[Path, int]]:
    """Return modality -> (file, index of the volume in it) for a folder of one subject in a known layout.

    Raises ValueError if the folder holds no subject, or more than one.
    """
    source = {"folder": str(folder), "layout": "auto", "labels": "auto", "prefix": ""}
    found = find_subjects([source], list(modalities))
    if len(found) != 1:
        raise ValueError(f"{folder}: expected the folder of one subject, found {', '.join(found)}; choose one")
    (subject,) = found.values()
    return {name: (Path(file.path), file.volume) for name, file in subject.files.items() if name != MASK}


def files_named(images: Iterable[tuple[str, str]]) -> dict[str, tuple[Path, int]]:
    """Return modality -> (file, index of the volume in it) for pairs of a modality and a file, or `FILE:2`.

    Raises ValueError for a file that does not exist and for a modality that is named twice.
    """
    files = {}
    for name, text in images:
        path, volume = file_named(text)
        if name in files:
            raise ValueError(f"--image {name} {text}: {name} is named twice; expected one file for each modality")
        if not Path(path).exists():
            raise ValueError(f"--image {name} {text}: {path} does not exist")
        files[name] = (Path(path), volume)
    return files


def prepare(
    name: str, images: Mapping[str, tuple[Path, int]], study: Study, labels: str
) -> tuple[ScanFacts, np.ndarray, str]:
    """Return the scan's facts (`scan.json`), its image (X, Y, Z, C), and the warnings of the checks ("" if none).

    name: name of the subject, for messages; labels: label dialect. Raises ValueError with the reason of the checks if
    the scan cannot be used, and for a modality that the models do not use.
    """
    modalities = study["modalities"]
    unknown = [modality for modality in images if modality not in modalities]
    if unknown:
        raise ValueError(f"the model takes {', '.join(modalities)}, not {', '.join(unknown)}; give only its modalities")
    settings = study["preprocess"] | {"modalities": modalities, "labels": labels, "forced": False}
    scan, arrays = preprocess_scan(name, dict(images), None, settings)
    if scan["verdict"] == "excluded":
        raise ValueError(f"{name} cannot be segmented: {scan['reason']}")
    return scan, arrays["image"], scan["reason"]
