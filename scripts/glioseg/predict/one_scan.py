"""One scan by itself, outside of a study: its files, and its image as the models of a study take it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glioseg.labels import MASK
from glioseg.layouts.find_subjects import find_subjects
from glioseg.predict.model_facts import Facts, Study
from glioseg.preprocess.scan import preprocess_scan
from glioseg.scan_facts import ScanFacts


def insist_on_study(facts: Facts, model: Path) -> Study:
    """How scans are made for a model. Raises ValueError where it was trained before that was kept beside it."""
    known = tuple(Study.__annotations__)
    missing = [name for name in known if name not in facts.study]
    if missing:
        raise ValueError(
            f"{model.with_name('settings.json')}: expected a study with {', '.join(known)}, {', '.join(missing)} "
            "missing; train the model anew, or predict by the workflow"
        )
    return facts.study


def files_of(folder: Path, modalities: Sequence[str]) -> dict[str, tuple[Path, int]]:
    """Modality -> file and volume in it, of a folder with one subject in a known layout.

    Raises ValueError where there is none, or more than one.
    """
    source = {"folder": str(folder), "layout": "auto", "labels": "auto", "prefix": ""}
    found = find_subjects([source], list(modalities))
    if len(found) != 1:
        raise ValueError(f"{folder}: expected the folder of one subject, found {', '.join(found)}; name its folder")
    (subject,) = found.values()
    return {name: (Path(file.path), file.volume) for name, file in subject.files.items() if name != MASK}


def prepare(
    name: str, images: Mapping[str, tuple[Path, int]], study: Study, labels: str
) -> tuple[ScanFacts, np.ndarray, str]:
    """The scan's facts (`scan.json`), its image (X, Y, Z, C), and what the checks warn of ("": nothing).

    name: of the subject, for sentences; labels: dialect. Raises ValueError with the checks'
    sentence where the scan can't be used, and for a modality that the models don't take.
    """
    modalities = study["modalities"]
    unknown = [modality for modality in images if modality not in modalities]
    if unknown:
        raise ValueError(f"the model takes {', '.join(modalities)}, not {', '.join(unknown)}; give those alone")
    settings = study["preprocess"] | {"modalities": modalities, "labels": labels, "forced": False}
    scan, arrays = preprocess_scan(name, dict(images), None, settings)
    if scan["verdict"] == "excluded":
        raise ValueError(f"{name} can't be segmented: {scan['reason']}")
    return scan, arrays["image"], scan["reason"]
