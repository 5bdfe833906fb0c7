"""Learning curves show the values of the histories."""

import numpy as np

from glioseg.plot import curves
from glioseg.plot.figures import draw_of


def test_curves_skip_epochs_without_validation():
    history = {
        "epoch": np.arange(1, 5.0),
        "loss": np.array([4, 3, 2, 1.0]),
        "val_loss": np.array([np.nan, 3, np.nan, 2]),
    }
    axis = curves.curves({"all": history}).axes[0]
    training, validation = axis.lines
    assert training.get_ydata().tolist() == [4, 3, 2, 1]
    assert (validation.get_xdata().tolist(), validation.get_ydata().tolist()) == ([2, 4], [3, 2])


def test_curves_are_read_from_histories_named_by_their_folders(tmp_path):
    for fold in ("0", "1"):
        (tmp_path / fold).mkdir()
        (tmp_path / fold / "history.tsv").write_text("epoch\tloss\tval_loss\n1\t4\t\n2\t3\t3.5\n")
    figure = draw_of("curves")([tmp_path / fold / "history.tsv" for fold in ("0", "1")])
    lines = figure.axes[0].lines
    assert lines[0].get_ydata().tolist() == [4, 3]
    assert (lines[-1].get_xdata().tolist(), lines[-1].get_ydata().tolist()) == ([2], [3.5])
    assert "one of 2 models" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_mean_curve_covers_epochs_that_all_models_have():
    short = {"epoch": np.array([1.0, 2]), "loss": np.array([1.0, 3])}
    long = {"epoch": np.array([1.0, 2, 3]), "loss": np.array([3.0, 5, 9])}
    assert curves.curves({"0": short, "1": long}).axes[0].lines[-1].get_ydata().tolist() == [2, 4]


def test_panels_leave_few_places_empty_and_a_vanishing_learning_rate_keeps_its_curve():
    names = [name for name in curves.PANELS if name != "dice_rc"]
    history = {"epoch": np.arange(1, 4.0)} | {name: np.array([1e-3, 5e-4, 1e-11]) for name in names}
    for count, shape in ((8, (2, 4)), (9, (3, 3)), (6, (2, 3)), (3, (1, 3))):
        shown = [*names, "dice_rc"][:count] if count != 8 else names
        figure = curves.curves({"all": {name: history.get(name, history["dice"]) for name in ("epoch", *shown)}})
        assert figure.axes[0].get_subplotspec().get_gridspec().get_geometry() == shape
    rate = curves.curves({"all": {name: history[name] for name in ("epoch", "learning_rate")}}).axes[0]
    assert 1e-7 < rate.get_ylim()[0] < 1e-5
