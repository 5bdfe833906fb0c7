"""Tables next to a data set's images: grade and survival in BraTS, participants in BIDS, and a user's own table."""

import csv
import io
from collections.abc import Iterator
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


def is_covariate_table(name: str) -> bool:
    """Whether a file is named as a BraTS table: name_mapping.csv, survival_info.csv, survival_data.csv, …"""
    return name.lower().startswith(("name_mapping", "survival_")) and name.lower().endswith(".csv")


def covariates_of(tables: list[str], notes: list[str]) -> dict[str, dict[str, str]]:
    """Covariates by subject from BraTS tables. The keys are the names in the ID columns of all years, in lower case.

    A table that cannot be read is skipped, with a note.
    """
    found = {}
    for table in tables:
        try:
            rows = [row for _, row in rows_of(table)]
        except ValueError as error:
            notes.append(f"{error}; this table is skipped")
            continue
        for row in rows:
            facts = {
                covariate: value
                for column, value in row.items()
                if (covariate := COVARIATES.get(_plain(column))) and value.lower() not in EMPTY
            }
            for column, value in row.items():
                if _plain(column).endswith("id") and value.lower() not in EMPTY:
                    found[value.lower()] = found.get(value.lower(), {}) | facts
    return found


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
