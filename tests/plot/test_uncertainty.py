"""The figure of uncertainty shows it against Dice, with the rank correlation."""

from glioseg.files import write_table
from glioseg.plot.figures import draw_of


def test_uncertainty_against_dice(tmp_path):
    rows = [{"uncertainty": value, "dice": dice} for value, dice in ((0.1, 0.9), (0.2, 0.85), (0.3, 0.5), (0.4, 0.6))]
    rows += [{"uncertainty": 0.25, "dice": ""}]
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), rows)
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert axis.collections[0].get_offsets().tolist() == [[0.1, 0.9], [0.2, 0.85], [0.3, 0.5], [0.4, 0.6]]
    # Ranks 1 2 3 4 against 4 3 1 2: 1 - 6 · (9 + 1 + 4 + 4) / 60.
    assert "4 scored subjects, Spearman's rank correlation \N{MINUS SIGN}0.80" in axis.get_title("left")
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), [])
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert "0 scored subjects: too few" in axis.get_title("left")
