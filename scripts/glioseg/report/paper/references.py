"""Publications that the report cites, from references.bib."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

BIBLIOGRAPHY = Path(__file__).parent.parent / "templates" / "references.bib"
KEY = re.compile(r"@(\w+)")
CITATION = re.compile(r"\[((?:@\w+(?:; )?)+)\]")
# The few commands of LaTeX in names.
LETTERS = {r"{\c{C}}": "Ç", r"{\c{c}}": "ç", r"{\"O}": "Ö", r"{\"o}": "ö", r"{\"u}": "ü", r"{\'i}": "í", "--": "–"}  # noqa: RUF001


@cache
def entries() -> dict[str, str]:
    """Key -> entry in BibTeX, as it stands in references.bib."""
    found = re.findall(r"^@\w+\{(\w+),\n.*?^\}$", text := BIBLIOGRAPHY.read_text(encoding="utf-8"), re.M | re.S)
    parts = re.findall(r"^@\w+\{.*?^\}$", text, re.M | re.S)
    return dict(zip(found, parts, strict=True))


def fields(key: str) -> dict[str, str]:
    """The fields of an entry by name, without LaTeX. Raises ValueError for a key that references.bib does not have."""
    if key not in entries():
        raise ValueError(f"references.bib: expected an entry {key}, found {', '.join(entries())}")
    found = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", entries()[key], re.M))
    for code, letter in LETTERS.items():
        found = {name: value.replace(code, letter) for name, value in found.items()}
    return found


def reference(key: str) -> str:
    """A publication in words: authors, year, title, place, and its DOI or arXiv id. It holds no web address."""
    entry = fields(key)
    names = [name.partition(",")[0] if name != "others" else "et al." for name in entry["author"].split(" and ")]
    authors = f"{names[0]} et al." if len(names) > 3 else ", ".join(names).replace(", et al.", " et al.")
    place = entry.get("journal") or entry.get("booktitle") or entry.get("publisher")
    numbers = ":".join(filter(None, (entry.get("volume"), entry.get("pages"))))
    where = " ".join(filter(None, (place, numbers)))
    number = f"doi:{entry['doi']}" if "doi" in entry else f"arXiv:{entry['eprint']}"
    return f"{authors} ({entry['year']}). {entry['title']}. {where + '. ' if where else ''}{number}"


def cited(texts: Iterable[str]) -> list[str]:
    """The keys that texts cite as [@key] or [@key; @key], in the order of their first citation."""
    groups = [group for text in texts for group in CITATION.findall(text)]
    return list(dict.fromkeys(key for group in groups for key in KEY.findall(group)))


def numbered(text: str, keys: Mapping[str, int]) -> str:
    """A text with the numbers of its references in place of their keys: [@dice1945] becomes [1]."""

    def numbers(group: re.Match) -> str:
        return f"[{', '.join(str(keys[key]) for key in KEY.findall(group[1]))}]"

    return CITATION.sub(numbers, text)


def bibliography(keys: Iterable[str]) -> str:
    """The entries of these keys as a BibTeX file."""
    return "\n\n".join(entries()[key] for key in keys) + "\n"
