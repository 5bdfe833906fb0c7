"""The figure of agreement, with limits computed by hand."""

import pytest

from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import write_table
from glioseg.plot import agreement
from glioseg.plot.figures import draw_of


def test_agreement_draws_limits_by_hand():
    values = {"ET": ([0, 1], [0, 1], [1, 0.5]), "WT": ([10, 20, 30], [12, 20, 31], [0.8, 0.9, 0.7])}
    figure = agreement.agreement(values)
    whole, enhancing, below, _ = figure.axes
    assert whole.get_title(loc="left") == "whole tumor (WT)"
    assert whole.collections[0].get_offsets().tolist() == [[11, 2], [20, 0], [30.5, 1]]
    # Differences of 2, 0 and 1 ml: mean 1, standard deviation 1.
    assert sorted(line.get_ydata()[0] for line in whole.lines) == pytest.approx([1 - 1.96, 0, 1, 1 + 1.96])
    assert [text.get_text() for text in whole.texts] == ["+1.0", "\N{MINUS SIGN}1.0", "+3.0"]
    assert below.collections[0].get_offsets().tolist() == [[10, 0.8], [20, 0.9], [30, 0.7]]
    # Two subjects without any difference have no spread.
    assert [line.get_ydata()[0] for line in enhancing.lines] == [0, 0]
    assert len(agreement.agreement({"WT": ([3], [4], [0.5])}).axes[0].lines) == 2
    assert "No subject was scored" in agreement.agreement({}).texts[0].get_text()


def test_agreement_shows_only_the_network_and_known_volumes(tmp_path):
    scored = {"truth_ml": 9, "predicted_ml": 8, "dice": 0.7}
    rows = [("network", "a", region, metric, value) for region in ("WT", "edema") for metric, value in scored.items()]
    rows += [("FLAIR threshold", "a", "WT", "dice", 0.1), ("network", "failed", "WT", "dice", 0)]
    columns = ("method", "subject", "region", "metric", "value")
    write_table(
        tmp_path / "subjects.tsv",
        SUBJECT_COLUMNS,
        [{"fold": "0", **dict(zip(columns, row, strict=True))} for row in rows],
    )
    figure = draw_of("agreement")([tmp_path / "subjects.tsv"])
    assert len(figure.axes) == 2 and figure.axes[1].collections[0].get_offsets().tolist() == [[9, 0.7]]
