"""Files that appear whole or not at all: JSON, tables, arrays."""

from __future__ import annotations

import errno
import json
import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

# Loaded by the functions that read arrays: every start of Snakemake, and each of its jobs, reads this module.
if TYPE_CHECKING:
    import numpy as np


@contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with its endings; it takes the place of `path` when the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: Path | str, content: dict) -> None:
    """Write a dictionary as indented JSON."""
    with whole(path) as partial:
        partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path | str) -> dict:
    """A dictionary of a JSON file. Raises ValueError with a sentence that names the file where it holds none."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # no text, or no JSON
        raise ValueError(f"{path}: expected JSON ({error}); delete it and run again to remake it") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, found {type(content).__name__}; delete it and run again")
    return content


def write_table(path: Path | str, columns: Sequence[str], rows: list[dict]) -> None:
    """Write rows as tab-separated text with a header; tabs and line breaks inside a cell become spaces."""
    lines = [columns, *([str(row.get(column, "")) for column in columns] for row in rows)]
    with whole(path) as partial:
        text = "".join("\t".join(" ".join(cell.split()) for cell in line) + "\n" for line in lines)
        partial.write_text(text, encoding="utf-8")


def read_table(path: Path | str, required: Sequence[str] = ()) -> list[dict[str, str]]:
    """Rows of a table with a header, as dictionaries of text: split at tabs, or in a .csv at commas; no quotes.

    A header alone: no rows. Raises ValueError with a sentence that names the file where it can't be read, lacks a
    required column, has a row with more or fewer cells than its header, or was cut off.
    """
    separator = "," if Path(path).suffix == ".csv" else "\t"
    try:
        text = Path(path).read_text(encoding="utf-8")
        header, *lines = (line.split(separator) for line in text.splitlines())
    except (OSError, ValueError) as error:  # ValueError: bytes that are no text, or not even a header
        raise ValueError(f"{path}: expected a table with a header ({error}); make it anew") from error
    absent = [column for column in required if column not in header]
    if absent:
        raise ValueError(f"{path}: expected the columns {', '.join(required)}, missing are {', '.join(absent)}")
    if not text.endswith("\n"):  # a cut in the last cell shows in nothing else
        raise ValueError(f"{path}: expected a line break at its end, so it was cut off; make it anew")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise ValueError(
                f"{path}: expected {len(header)} cells in each line, found {len(line)} in line {number}; make it anew"
            )
    return [dict(zip(header, line, strict=True)) for line in lines]


def read_array(path: Path, dimensions: int, mapped: bool = False) -> np.ndarray:
    """An array of a .npy file, by memory map where so asked; never a pickle, which would run what stands in it.

    Raises ValueError with a sentence that names the file where it is damaged, or has other dimensions.
    """
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        found = f"{array.ndim} dimensions"
    except Exception as error:  # a damaged header ends in a dozen kinds, syntax errors among them
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
            raise  # nothing is wrong with the file
        array, found = None, error
    if array is None or array.ndim != dimensions:
        raise ValueError(
            f"{path} cannot be read as an array of {dimensions} dimensions ({found}); delete {path.parent} and run "
            "again to remake it"
        )
    return array


def allow_open_files() -> None:
    """Let this process open as many files as it ever may: each array that is read by memory map keeps one open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # a limit that can't be set is left
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def read_sample(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Image (X, Y, Z, C) and mask (X, Y, Z) of a folder of `preprocess`, by memory map.

    Raises ValueError naming the file that can't be read, or the folder whose two are not of one scan.
    """
    image, mask = read_array(folder / "image.npy", 4, mapped=True), read_array(folder / "mask.npy", 3, mapped=True)
    if image.shape[:-1] != mask.shape:
        raise ValueError(
            f"{folder}: image.npy has the shape {image.shape}, mask.npy {mask.shape}; expected that of one scan; "
            "delete the folder and run again to remake it"
        )
    return image, mask
