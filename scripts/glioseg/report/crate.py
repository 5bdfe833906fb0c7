"""The description of a run's files as a research object (RO-Crate), which archives and search engines read.

It follows RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) and the profile for runs of software, Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from glioseg.model_files import content_of
from glioseg.report.study import TITLE, data_words

CRATE = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
# The files of a run that others can use, as patterns in its results folder, and what each of them is.
FILES = {
    "report/index.html": "Report of the run",
    "split/cohort.tsv": "Scans, with their folds or the reasons for which they were excluded",
    "summarize/*.tsv": "Table of scores",
    "predict/*.nii.gz": "Segmentation on the grid of the scan",
    "train/*/model.keras": "Trained network",
    "train/*/settings.json": "Settings and training subjects of a network",
    "train/*/history.tsv": "Learning curves of a network",
    "tune_postprocess/*.json": "Thresholds that were chosen on held-out subjects",
    "plot/*.svg": "Figure",
}
# With report: model. Without it, a page of an earlier run may still be there.
SEGMENTER = {"report/segment.html": "Page that holds the networks and segments scans in a browser"}
FORMATS = {
    ".html": "text/html",
    ".tsv": "text/tab-separated-values",
    ".gz": "application/gzip",
    ".keras": "application/zip",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
NO_LICENSE = "The authors of the study have not stated a license."


def describe_run(results: Path, config: Mapping, version: str, made: datetime) -> dict:
    """The content of ro-crate-metadata.json for a results folder.

    config: the configuration of the study; made: when the run ended, with a time zone.
    """
    files = FILES | (SEGMENTER if config["report"]["model"] else {})
    entities = [
        _file(results, path, words) for pattern, words in files.items() for path in sorted(results.glob(pattern))
    ]
    parts = [{"@id": entity["@id"]} for entity in entities]
    data = f"Scans: {data_words(config)}"
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": config["report"]["title"] or TITLE,
        "description": f"Segmentations of brain tumors, scores and a report, made by glioseg. {data}.",
        "datePublished": made.date().isoformat(),
        "license": {"@id": "#license"},
        "conformsTo": {"@id": PROFILE},
        "hasPart": parts,
        "mentions": {"@id": "#run"},
    }
    metadata = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": CRATE},
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of glioseg",
        "description": f"Preprocessing, training, prediction and evaluation. {data}.",
        "instrument": {"@id": "#glioseg"},
        "object": [{"@id": "#data"}, {"@id": "#config"}],
        "result": parts,
        "endTime": made.isoformat(timespec="seconds"),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    described = [
        {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {"@id": "#license", "@type": "CreativeWork", "name": "License", "description": NO_LICENSE},
        {"@id": "#glioseg", "@type": "SoftwareApplication", "name": "glioseg", "softwareVersion": version},
        {"@id": "#data", "@type": "CreativeWork", "name": data},
        {"@id": "#config", "@type": "PropertyValue", "name": "configuration", "value": json.dumps(config)},
    ]
    return {"@context": f"{CRATE}/context", "@graph": [metadata, root, run, *described, *entities]}


def _file(results: Path, path: Path, words: str) -> dict:
    name = path.relative_to(results).as_posix()
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "description": words,
        "encodingFormat": FORMATS[path.suffix],
        "contentSize": str(path.stat().st_size),
        "sha256": content_of(path),
    }
