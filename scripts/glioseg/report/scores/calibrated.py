"""How well the probabilities of a run are calibrated, with and without a temperature."""

from collections.abc import Mapping

from glioseg.evaluate.calibration import BEFORE, WRITTEN, bins_of, brier, expected_error, pooled
from glioseg.model_files import TEMPERATURE
from glioseg.report.run import Rows


def calibration_facts(calibration: Rows, chosen: Mapping[str, Mapping]) -> dict:
    """The errors of the probabilities of all scored subjects together, and the temperatures.

    Returns {"regions": region -> stage -> {"error", "brier"}, "temperatures": fold -> temperature}; the stages are
    `WRITTEN` and, where a temperature was applied, `BEFORE`. calibration: rows of calibration.tsv; chosen: fold -> what
    tune_postprocess chose, which in older studies is no temperature.
    """
    regions: dict[str, dict[str, dict[str, float]]] = {}
    for stage in (WRITTEN, BEFORE):
        for name, subjects in bins_of(calibration, stage).items():
            bins = pooled(subjects.values())
            regions.setdefault(name, {})[stage] = {"error": expected_error(bins), "brier": brier(bins)}
    temperatures = {fold: found[TEMPERATURE] for fold, found in chosen.items() if TEMPERATURE in found}
    return {"regions": regions, "temperatures": temperatures}
