"""Functions that all pages of the report share: templates, figures, hashes, formatted numbers."""

import base64
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from glioseg.evaluate.score_table import DASH
from glioseg.files import read_json, read_table
from glioseg.model_files import ModelFile
from glioseg.report.scores.suspects import place_address

SUBJECT_FIGURES = ("planes", "modalities", "sample")


def pages_under(folder: str) -> Environment:
    """The templates, with a filter `address` that turns a subject into the link to its page in that folder."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=number, duration=duration, dimensions=dimensions)
    environment.filters["address"] = lambda name: f"{folder}{quote(name)}.html"
    environment.filters["place"] = lambda row: place_address(f"{folder}{quote(row['subject'])}.html", row)
    return environment


def data_uri(path: Path) -> str:
    """A PNG file as a data URI; "" if there is no such file."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}" if path.is_file() else ""


def dimensions(data: str) -> tuple[int, int]:
    """Width and height in pixels of an image from `data_uri`."""
    # A PNG file starts with a signature of 8 bytes, then the length and the name of its header.
    return struct.unpack(">II", base64.b64decode(data.partition(",")[2][:32])[16:24])


def relative_address(folder: Path, start: Path) -> str:
    """The address of a folder relative to a page in the folder `start`, with a slash at its end."""
    return quote(os.path.relpath(folder, start)) + "/"


def script_of(subject: str, volumes: Path, pages: Path) -> str:
    """The address of the script with a subject's volumes, relative to its page; "" if there is none."""
    return f"{relative_address(volumes, pages)}{quote(subject)}.js" if (volumes / f"{subject}.js").is_file() else ""


def read_hashes(preprocessed: Path, subjects: Sequence[str]) -> dict[str, dict[str, str]]:
    """Subject -> modality -> hash of its voxels, from scan.json; subjects without this file are left out."""
    found = {}
    for subject in subjects:
        path = preprocessed / subject / "scan.json"
        if path.is_file():
            found[subject] = read_json(path)["hashes"]
    return found


def model_name(model: ModelFile, finished: bool) -> str:
    """The name of a model of this study, or the folder of a finished model from elsewhere."""
    return str(model.parent).rstrip("/") if finished else model.parent.name


def read_times(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Rule -> rows of Snakemake's benchmark files RULE.tsv and RULE/….tsv; {} if the folder does not exist."""
    times: dict[str, list] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).with_suffix("").parts[0]
        times.setdefault(rule, []).extend(read_table(path, ("s", "max_rss")))
    return times


def figures_of(subject: str, figure: Callable[[str], str]) -> dict[str, str]:
    """The figures that a subject has, by name."""
    found = {name: figure(f"subjects/{subject}/{name}.png") for name in SUBJECT_FIGURES}
    return {name: data for name, data in found.items() if data}


def number(value: str | float | None, digits: int) -> str:
    """A number with `digits` decimals; a dash if there is none."""
    return DASH if value is None or value == "" or float(value) != float(value) else f"{float(value):.{digits}f}"


def duration(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
