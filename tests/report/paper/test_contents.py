"""The section for the paper, and its files."""

import re

from reports import make, written

from glioseg.evaluate.metrics import METRICS


def test_the_section_and_its_files(tmp_path):
    page = written(make(tmp_path, {"good": 0.9, "bad": 0.1}))
    section = page[page.index('<section id="paper"') :].partition("</section>")[0]
    for metric in METRICS.values():
        assert metric.formula in section
    # Every number that is cited is in the list.
    listed = section[section.index('<ol class="references">') :].partition("</ol>")[0].count("<li>")
    used = {int(number) for group in re.findall(r"\[(\d+(?:, \d+)*)\]", section) for number in group.split(", ")}
    assert used == set(range(1, listed + 1))
    assert "[@" not in page and "glioseg: a Snakemake workflow" in section
    folder = tmp_path / "report/paper"
    for name in ("methods.md", "references.bib", "claim.md"):
        assert f'<a href="paper/{name}" download>' in section
    keys = set(re.findall(r"@(\w+)", (folder / "methods.md").read_text() + (folder / "claim.md").read_text()))
    assert keys and keys <= set(re.findall(r"^@\w+\{(\w+),", (folder / "references.bib").read_text(), re.M))
