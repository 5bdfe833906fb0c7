"""Publications, as the report lists them and as BibTeX."""

import re

import pytest

from glioseg.evaluate.metrics import METRICS
from glioseg.report.paper import references


def test_every_metric_has_a_formula_and_a_publication():
    for name, metric in METRICS.items():
        assert metric.formula, name
        assert references.reference(metric.source), name


def test_every_entry_can_be_shown():
    assert len(references.entries()) == references.BIBLIOGRAPHY.read_text().count("\n@") + 1
    for key in references.entries():
        found = references.reference(key)
        assert re.fullmatch(r"[^{}\\]+ \(\d{4}\)\. [^{}\\]+\. (doi:10\.\d+/|arXiv:\d{4}\.)[^\s{}\\]+", found), found


def test_a_reference_by_hand():
    assert references.reference("dice1945") == (
        "Dice (1945). Measures of the amount of ecologic association between species. "
        "Ecology 26:297\N{EN DASH}302. doi:10.2307/1932409"
    )
    assert references.reference("ulyanov2016").endswith(" arXiv:1607.08022")
    assert references.reference("heimann2009").startswith("Heimann et al. (2009). ")
    with pytest.raises(ValueError, match="expected an entry nobody2000, found dice1945"):
        references.reference("nobody2000")


def test_citations_become_numbers():
    texts = ["A [@dice1945] and [@menze2015; @dice1945].", "[@taha2015] [not one] a@b"]
    assert references.cited(texts) == ["dice1945", "menze2015", "taha2015"]
    numbers = {"dice1945": 1, "menze2015": 2, "taha2015": 3}
    assert [references.numbered(text, numbers) for text in texts] == ["A [1] and [2, 1].", "[3] [not one] a@b"]
    assert references.bibliography(["taha2015", "dice1945"]).count("@article") == 2
