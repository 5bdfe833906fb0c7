"""The figure of uncertainty shows it against Dice, with the rank correlation."""

from glioseg.files import write_table
from glioseg.plot.figures import draw_of


def test_uncertainty_against_dice(tmp_path):
    few = ((0.1, 0.9), (0.2, 0.85), (0.3, 0.5), (0.4, 0.6))
    points = [*few, *((0.5 + number / 50, 0.3 - number / 50) for number in range(6))]
    rows = [{"uncertainty": value, "dice": dice} for value, dice in points]
    rows += [{"uncertainty": 0.25, "dice": ""}]
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), rows)
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert axis.collections[0].get_offsets().tolist() == [list(point) for point in points]
    # Ranks 1 to 10 against 10 9 7 8 6 5 4 3 2 1: 1 - 6 · 328 / 990.
    assert "10 scored subjects, Spearman's rank correlation \N{MINUS SIGN}0.99" in axis.get_title("left")
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), rows[1:])
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert "9 scored subjects: too few" in axis.get_title("left")
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), [])
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert "0 scored subjects: too few" in axis.get_title("left")
