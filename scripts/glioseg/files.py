"""Reading and writing JSON, tables and arrays; a file is written completely or not at all."""

from __future__ import annotations

import errno
import json
import os
import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

# Only the functions that read arrays load NumPy: Snakemake and each of its jobs import this module when they start.
if TYPE_CHECKING:
    import numpy as np


# How BIDS writes a missing value.
MISSING = "n/a"
COVARIATE = {"Description": "Covariate of the data set, as in its own tables."}


@contextmanager
def whole(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, with its suffixes; rename it to `path` if the block succeeds."""
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


def write_text(path: Path | str, text: str) -> None:
    """Write text as UTF-8."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path | str, content: dict) -> None:
    """Write a dictionary as indented JSON."""
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_json(path: Path | str) -> dict:
    """The dictionary in a JSON file. Raises ValueError, naming the file, if it does not contain one."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:  # not UTF-8, or not JSON
        raise ValueError(f"{path}: expected JSON ({error}); delete it and run again to recreate it") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path}: expected a JSON object, found {type(content).__name__}; delete it and run again to recreate it"
        )
    return content


def write_table(
    path: Path | str, columns: Sequence[str], rows: list[dict], described: Mapping[str, dict] | None = None
) -> None:
    """Write rows as tab-separated text with a header, and the `descriptions` of the columns beside it as NAME.json.

    White space inside a cell becomes single spaces. A missing value (no entry, None, nothing, or the number NaN) is
    "n/a", as in BIDS. described: what only the caller knows of columns, by name.
    """
    write_json(Path(path).with_suffix(".json"), descriptions(columns, described or {}))
    lines = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    write_text(path, "".join("\t".join(line) + "\n" for line in lines))


def _cell(value: object) -> str:
    missing = value is None or (isinstance(value, float) and value != value)
    return MISSING if missing else " ".join(str(value).split()) or MISSING


def descriptions(columns: Sequence[str], described: Mapping[str, dict]) -> dict[str, dict]:
    """Columns by name, each with its Description, Units and Levels, as BIDS describes the columns of a table.

    They are those of columns.yaml; a column that it does not know is a covariate. An entry of `described` replaces
    that of columns.yaml if it has a Description, and is otherwise added to it.
    """
    known = _known_columns()
    beginnings = [name for name in known if name.endswith("_")]
    found = {}
    for column in columns:
        found[column] = known.get(column, COVARIATE)
        for start in beginnings:
            rest = known.get(column.removeprefix(start))
            if column.startswith(start) and rest:
                found[column] = rest | {"Description": f"{rest['Description']} {known[start]['Description']}"}
        more = described.get(column, {})
        found[column] = more if "Description" in more else found[column] | more
    return found


@cache
def _known_columns() -> dict[str, dict]:
    """The content of columns.yaml, read once by a command that writes several tables."""
    # Only commands that write tables need it, and Snakemake imports this module whenever it starts.
    import yaml

    return yaml.safe_load(Path(__file__).with_name("columns.yaml").read_text(encoding="utf-8"))


def read_table(path: Path | str, required: Sequence[str] = ()) -> list[dict[str, str]]:
    """Rows of a table with a header, as dictionaries of text. Cells are separated by tabs, or by commas in a .csv file.

    Quotes have no special meaning. "n/a" is a missing value and becomes "". A table with only a header has no rows.
    Raises ValueError, naming the file, if it cannot be read, lacks a required column, was cut off, or has a row with
    more or fewer cells than the header.
    """
    separator = "," if Path(path).suffix == ".csv" else "\t"
    try:
        text = Path(path).read_text(encoding="utf-8")
        header, *lines = (line.split(separator) for line in text.splitlines())
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or no header
        raise ValueError(f"{path}: expected a table with a header ({error}); create it again") from error
    absent = [column for column in required if column not in header]
    if absent:
        raise ValueError(f"{path}: expected the columns {', '.join(required)}; missing: {', '.join(absent)}")
    if not text.endswith("\n"):  # otherwise a cut inside the last cell would not be noticed
        raise ValueError(f"{path}: expected a line break at the end, so it was cut off; create it again")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise ValueError(
                f"{path}: expected {len(header)} cells per line, found {len(line)} in line {number}; create it again"
            )
    return [{name: "" if cell == MISSING else cell for name, cell in zip(header, line, strict=True)} for line in lines]


def read_array(path: Path, dimensions: int, mapped: bool = False) -> np.ndarray:
    """The array in a .npy file, as a memory map if `mapped`. Pickles are refused, because they can run code.

    Raises ValueError, naming the file, if it is damaged or has another number of dimensions.
    """
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        found = f"{array.ndim} dimensions"
    except Exception as error:  # a damaged header raises many exception types
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
            raise  # the file itself is not at fault
        array, found = None, error
    if array is None or array.ndim != dimensions:
        raise ValueError(
            f"{path} cannot be read as an array of {dimensions} dimensions ({found}); delete {path.parent} and run "
            "again to recreate it"
        )
    return array


def allow_open_files() -> None:
    """Raise this process's limit of open files to its maximum, because each memory-mapped array keeps a file open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # keep the limit if it cannot be changed
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def read_sample(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Image (X, Y, Z, C) and mask (X, Y, Z) in a folder that `preprocess` wrote, as memory maps.

    Raises ValueError, naming the file, if one cannot be read, or naming the folder if their shapes do not match.
    """
    image, mask = read_array(folder / "image.npy", 4, mapped=True), read_array(folder / "mask.npy", 3, mapped=True)
    if image.shape[:-1] != mask.shape:
        raise ValueError(
            f"{folder}: image.npy has the shape {image.shape} and mask.npy {mask.shape}; expected the same X, Y and Z; "
            "delete the folder and run again to recreate it"
        )
    return image, mask
