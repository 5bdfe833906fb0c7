"""Tables next to a data set's images: grade and survival in BraTS, participants in BIDS, and a user's own table."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

# Column in the BraTS tables of 2017 to 2020, in lower case and without spaces and underscores -> covariate.
COVARIATES = {
    "grade": "grade",
    "age": "age",
    "survival": "survival_days",
    "survivaldays": "survival_days",
    "extentofresection": "extent_of_resection",
    "resectionstatus": "extent_of_resection",
}
EMPTY = ("", "na", "n/a", "nan")
# The ids in each row of a table, and the row's covariates.
Rows = list[tuple[list[str], dict[str, str]]]


def is_covariate_table(name: str) -> bool:
    """Whether a file is named as a BraTS table: name_mapping.csv, survival_info.csv, survival_data.csv, …"""
    return name.lower().startswith(("name_mapping", "survival_")) and name.lower().endswith(".csv")


def covariates_of(
    tables: list[str], names: set[str], notes: list[str], read: Callable[[list[dict[str, str]]], Rows]
) -> dict[str, dict[str, str]]:
    """Covariates by subject or patient from tables; a later table replaces the values of an earlier one.

    names: of all subjects and patients. read: turns the rows of a table into `Rows`. A table that cannot be read is
    skipped, with a note.
    """
    found = {}
    for table in tables:
        try:
            rows = [row for _, row in rows_of(table)]
        except ValueError as error:
            notes.append(f"{error}; this table is skipped")
            continue
        for name, facts in assigned(read(rows), names, table, notes).items():
            found[name] = found.get(name, {}) | facts
    return found


def brats_rows(rows: list[dict[str, str]]) -> Rows:
    """The ids and covariates in the rows of a BraTS table, whose ID columns have the names of all years."""
    known = []
    for row in rows:
        facts = {
            covariate: value
            for column, value in row.items()
            if (covariate := COVARIATES.get(_plain(column))) and value.lower() not in EMPTY
        }
        ids = [value for column, value in row.items() if _plain(column).endswith("id")]
        known.append(([value for value in ids if value.lower() not in EMPTY], facts))
    return known


def assigned(rows: Rows, names: set[str], table: str, notes: list[str]) -> dict[str, dict[str, str]]:
    """Covariates by subject or patient.

    A note says how many rows name nobody, and which ids are written differently from the names that they mean.
    """
    meant = matches({one for ids, _ in rows for one in ids}, names)
    found, strangers = {}, []
    for ids, facts in rows:
        owners = {meant[one] for one in ids if one in meant}
        if not owners:
            strangers += ids[:1]
        for name in owners:
            found[name] = found.get(name, {}) | facts
    different = sorted(one for one, name in meant.items() if one.lower() != name.lower())
    if different:
        notes.append(
            f"{table}: {len(different)} ids are written differently from the names of subjects, such as "
            f"{different[0]}, which is read as {meant[different[0]]}"
        )
    if strangers:
        notes.append(
            f"{table}: {len(strangers)} of {len(rows)} rows name no subject, such as {strangers[0]}; their covariates "
            "are not used"
        )
    return found


def matches(ids: set[str], names: set[str]) -> dict[str, str]:
    """Id -> the name that it means, ignoring case.

    An id that is not a name means the name with the same words and numbers ("sub-1", "sub-001"), or else the only name
    that ends with them ("1", "sub-001"). It must be the only such id, and the name must have no other id.
    """
    lower = {name.lower(): name for name in names}
    found = {one: lower[one.lower()] for one in ids if one.lower() in lower}
    for endings in (False, True):
        owners: dict[tuple[str, ...], set[str]] = {}
        for name in names - set(found.values()):
            words = _words(name)
            for first in range(len(words)) if endings else (0,):
                owners.setdefault(words[first:], set()).add(name)
        wanted: dict[str, list[str]] = {}
        for one in ids - set(found):
            for name in owners.get(_words(one), ()):
                wanted.setdefault(one, []).append(name)
        counts = Counter(name for several in wanted.values() for name in several)
        found |= {one: name for one, (name, *more) in wanted.items() if not more and counts[name] == 1}
    return found


def _words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, with numbers without leading zeros: "Sub-007_A" becomes ("sub", "7", "a")."""
    return tuple(re.sub(r"\d+", lambda number: number[0].lstrip("0") or "0", name.lower()).replace("_", "-").split("-"))


def rows_of(path: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line number and the stripped cells of each row of a .tsv, or of a .csv with commas or semicolons.

    Blank lines are skipped. Raises ValueError, which names the file and the line, if the table cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a table ({error}); save it as UTF-8 text") from error
    first = text.partition("\n")[0]
    comma = ";" if first.count(";") > first.count(",") else ","
    how = {"delimiter": comma} if path.lower().endswith(".csv") else {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    reader, header = csv.reader(io.StringIO(text, newline=""), **how), None
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if header is None:
                header = cells
                if len(set(header)) != len(header):
                    raise ValueError(f"{path}: two columns have the same name; expected different names")
            elif len(cells) != len(header):
                raise ValueError(
                    f"{path}: expected {len(header)} cells in each line, found {len(cells)} in line {reader.line_num}"
                )
            else:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ValueError(f"{path}: line {reader.line_num} cannot be read ({error}); save the table again") from error


def _plain(column: str) -> str:
    return column.lower().replace("_", "").replace(" ", "")
