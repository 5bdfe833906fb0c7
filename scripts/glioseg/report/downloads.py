"""The files of a study that the report links to: tables, figures, segmentations and logs."""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from glioseg.plot.figures import FIGURES

# Table below the results folder -> what it holds.
TABLES = {
    "split/cohort.tsv": "subjects, folds and reasons for exclusion",
    "summarize/scores.tsv": "every metric per method and region over all subjects",
    "summarize/subjects.tsv": "every score of every subject",
    "summarize/confusion.tsv": "true against predicted tissue classes",
    "summarize/groups.tsv": "scores by covariate",
    "summarize/lesions.tsv": "every true or predicted lesion",
    "summarize/suspects.tsv": "places where masks are worth a look",
    "summarize/volumes.tsv": "predicted volumes",
    "summarize/uncertainty.tsv": "uncertainty of each segmentation",
    "summarize/calibration.tsv": "predicted probabilities and shares of true voxels",
    "summarize/failures.tsv": "failed jobs",
    "baseline/scores.tsv": "Dice of the baselines",
    "tune_postprocess/all_tried.tsv": "size thresholds that were tried",
    "layouts/subjects.tsv": "files of every subject",
    "layouts/notes.tsv": "what was left out when the data sets were read",
}
# Format -> path of a figure below the folder of figures.
FORMATS = {"PNG": "{}.png", "SVG": "{}.svg", "PDF": "print/{}.pdf", "PNG for print": "print/{}.png"}
SUBJECT_FILES = {
    "segmentation": "predict/{}.nii.gz",
    "segmentation before postprocessing": "predict/raw/{}.nii.gz",
    "probability of WT": "predict/maps/{}/WT.nii.gz",
    "probability of TC": "predict/maps/{}/TC.nii.gz",
    "probability of ET": "predict/maps/{}/ET.nii.gz",
    "probability of RC": "predict/maps/{}/RC.nii.gz",
    "entropy": "predict/maps/{}/entropy.nii.gz",
    "disagreement": "predict/maps/{}/disagreement.nii.gz",
    "scores": "evaluate/{}.json",
    "findings of the checks": "preprocess/{}/scan.json",
    "planes as SVG": "plot/subjects/{}/planes.svg",
    "modalities as SVG": "plot/subjects/{}/modalities.svg",
    "sample as SVG": "plot/subjects/{}/sample.svg",
    "planes as PDF": "plot/subjects/{}/planes.pdf",
    "modalities as PDF": "plot/subjects/{}/modalities.pdf",
    "sample as PDF": "plot/subjects/{}/sample.pdf",
    "planes as PNG": "plot/subjects/{}/planes.png",
    "modalities as PNG": "plot/subjects/{}/modalities.png",
    "sample as PNG": "plot/subjects/{}/sample.png",
    "log of preprocess": "logs/preprocess/{}.log",
    "log of predict": "logs/predict/{}.log",
    "log of evaluate": "logs/evaluate/{}.log",
}


def downloads(results: Path, figures: Path, start: Path) -> dict[str, list[tuple[str, str, dict[str, str]]]]:
    """Title -> rows of (name, words, links) for the files of a study that exist; links is format -> address.

    results: the folder of results; figures: that of figures; start: the folder of the page with the links.
    """
    tables = [(name, words, {"TSV": address(results / name, start)}) for name, words in TABLES.items()]
    drawn = [
        (name, figure.caption.partition(".")[0], _existing(FORMATS, name, figures, start))
        for name, figure in FIGURES.items()
    ]
    logs = [(path.stem, "", {"log": address(path, start)}) for path in sorted((results / "logs").glob("*.log"))]
    models = sorted((results / "logs/train").glob("*.log"))
    logs += [(f"train {path.stem}", "", {"log": address(path, start)}) for path in models]
    found = {"Tables": tables, "Figures": drawn, "Logs": logs}
    linked = {title: [row for row in rows if all((row[2], *row[2].values()))] for title, rows in found.items()}
    return {title: rows for title, rows in linked.items() if rows}


def subject_files(subject: str, results: Path, start: Path) -> dict[str, str]:
    """Name of a file of a subject -> its address relative to a page in the folder `start`, for the files that exist."""
    return _existing(SUBJECT_FILES, subject, results, start)


def segmentations(subjects: Iterable[str], results: Path, start: Path) -> dict[str, str]:
    """Subject -> address of its segmentation relative to a page in the folder `start`, for those that have one."""
    pattern = SUBJECT_FILES["segmentation"]
    found = {name: address(results / pattern.format(name), start) for name in subjects}
    return {name: place for name, place in found.items() if place}


def address(path: Path, start: Path) -> str:
    """The address of a file relative to a page in the folder `start`; "" if there is no such file."""
    return quote(os.path.relpath(path, start)) if path.is_file() else ""


def _existing(patterns: dict[str, str], name: str, folder: Path, start: Path) -> dict[str, str]:
    found = {label: address(folder / pattern.format(name), start) for label, pattern in patterns.items()}
    return {label: link for label, link in found.items() if link}
