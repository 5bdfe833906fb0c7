"""The checklist holds what a run knows, and leaves the rest to the authors."""

from glioseg.report.paper.claim import AUTHOR, ITEMS, claim
from glioseg.report.run import Run


def answers(config, cohort, trainings=(), scores=(), covariates=()) -> dict[int, str]:
    names = ("subjects", "uncertainty", "volumes", "lesions", "confusion", "groups", "failures", "notes")
    names += ("calibration", "suspects")
    empty = dict.fromkeys(names, ()) | {name: {} for name in ("tunings", "chosen", "benchmarks", "hashes", "models")}
    run = Run(cohort=cohort, trainings=trainings, config=config, commit="v1", scores=scores, **empty)
    found = claim(run, covariates)
    assert [row["number"] for row in found] == list(range(1, 45)) and [row["item"] for row in found] == list(ITEMS)
    return {row["number"]: row["answer"] for row in found}


def row(patient: str, verdict: str = "included", fold: str = "0") -> dict:
    return {"patient": patient, "verdict": verdict, "fold": fold, "has_mask": "yes"}


def test_a_study_of_patients():
    cohort = [row("a"), row("b", fold="test"), row("c", "excluded", "")]
    trainings = [{"settings": {"start": ""}}] * 2
    found = answers({"data": "/data"}, cohort, trainings, ({},), ["grade", "site"])
    assert found[35].startswith("3 subjects found, 1 excluded") and found[36].endswith(": grade, site")
    assert "groups: 0, test;" in found[19] and "2 models" in found[25] and found[27].startswith("The mean of")
    assert found[24].startswith("Random values") and "2 included subjects" in found[37]
    assert "held out" in found[32] and found[43].endswith("author")
    assert {found[number] for number in (1, 5, 7, 11, 13, 14, 15, 21, 33, 34, 38, 40, 44)} == {AUTHOR}


def test_phantoms_and_external_cohorts():
    found = answers({"data": "phantoms", "models": ["x"]}, [row("a")], [{"settings": {"start": "y"}}])
    assert "phantoms" in found[7] and found[11].startswith("Not needed") and "external" in found[33]
    assert found[24].startswith("From another model") and found[27] == found[36] == found[28] == found[32] == AUTHOR
