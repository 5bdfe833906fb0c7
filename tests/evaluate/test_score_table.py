"""Compare the printed table of scores with one written by hand."""

from glioseg.evaluate.score_table import score_table
from glioseg.evaluate.summary import SCORE_COLUMNS


def test_score_table_by_hand() -> None:
    row = dict(zip(SCORE_COLUMNS, ("network", "WT", "dice", 2, 2, 0.5, 0.5, 0.4, 0.6, 0.25, 0.75), strict=True))
    single = {
        **row,
        "method": "FLAIR threshold",
        "n": "1",
        "patients": "1",
        "mean": "0.12345",
        "ci_low": "",
        "ci_high": "",
    }
    scores = [{**one, "region": region} for one in (row, single) for region in ("WT", "TC", "ET", "mean")]
    scores.append({**row, "metric": "hd95_mm", "mean": 99})
    cell, alone = "0.500 [0.250, 0.750]", "0.123"
    expected = [
        "Dice             subjects  WT                    TC                    ET                    mean",
        "-" * 113,
        f"network          2         {cell}  {cell}  {cell}  {cell}",
        f"FLAIR threshold  1         {'  '.join([alone.ljust(len(cell))] * 3)}  {alone}",
        "Mean over subjects with 95 % bootstrap interval.",
    ]
    assert score_table(scores).splitlines() == expected


def test_patients_are_counted_where_they_have_several_visits() -> None:
    row = dict(zip(SCORE_COLUMNS, ("network", "WT", "dice", 4, 2, 0.5, 0.5, 0.4, 0.6, 0.25, 0.75), strict=True))
    _, _, line, below = score_table([row]).splitlines()
    assert line.startswith("network  4 of 2 patients  0.500 [")
    assert below == "Mean over subjects with 95 % bootstrap interval, which resamples patients."
