"""The report's section for the paper, and the same as files."""

from collections.abc import Sequence
from typing import NamedTuple

import yaml

from glioseg.evaluate.metrics import METRICS
from glioseg.report.paper.claim import AUTHOR, claim
from glioseg.report.paper.methods import methods
from glioseg.report.paper.references import bibliography, cited, numbered, reference
from glioseg.report.run import Run
from glioseg.split.cohort import covariates_in
from glioseg.workflow.home import HOME

CLAIM = "tejani2024"


class Paper(NamedTuple):
    """What a paper says of a run: paragraphs that cite keys (`[@key]`), all keys, and the rows of the checklist."""

    methods: Sequence[str]
    keys: Sequence[str]
    claim: Sequence[dict]


def paper_of(run: Run) -> Paper:
    """What a paper says of a run, from which the section and the files are made."""
    paragraphs = methods(run)
    return Paper(paragraphs, _keys(paragraphs), claim(run, covariates_in(run.cohort)))


def paper_contents(paper: Paper, address: str) -> dict:
    """What the template of the section shows. address: of the folder of files, relative to the report."""
    numbers = {key: number for number, key in enumerate(paper.keys, start=1)}
    return {
        "address": address,
        "methods": [numbered(paragraph, numbers) for paragraph in paper.methods],
        "numbers": numbers,
        "references": [reference(key) for key in paper.keys],
        "claim": paper.claim,
        "checklist": CLAIM,
        "known": sum(row["answer"] != AUTHOR for row in paper.claim),
        "cite": how_to_cite(),
    }


def paper_files(paper: Paper) -> dict[str, str]:
    """Name -> content of the files: the methods and the checklist in Markdown for Pandoc, the references in BibTeX."""
    lines = ["| item | topic | answer |", "|---|---|---|"]
    lines += [f"| {row['number']} | {row['item']} | {row['answer']} |" for row in paper.claim]
    return {
        "methods.md": "# Methods\n\n" + "\n\n".join(paper.methods) + "\n\n# References\n",
        "references.bib": bibliography(paper.keys),
        "claim.md": f"# CLAIM [@{CLAIM}]\n\n" + "\n".join(lines) + "\n",
    }


def how_to_cite() -> str:
    """A sentence with the authors, title and version in CITATION.cff."""
    cff = yaml.safe_load((HOME / "CITATION.cff").read_text(encoding="utf-8"))
    names = ", ".join(filter(None, (author.get("name") or author.get("family-names") for author in cff["authors"])))
    year = str(cff["date-released"])[:4]
    return f"{names} ({year}). {cff['title']}, version {cff['version']}. Please also cite the data set that you used."


def _keys(paragraphs: Sequence[str]) -> list[str]:
    """The publications of the methods, then those of the metrics and of the checklist."""
    return list(dict.fromkeys([*cited(paragraphs), *(metric.source for metric in METRICS.values()), CLAIM]))
