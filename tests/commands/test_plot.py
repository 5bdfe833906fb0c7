"""The command `plot` draws figures from tables and models."""

from click.testing import CliRunner
from pictures import keras_file, pixels, share, small_unet

import plot
from glioseg.colors import TISSUES
from glioseg.files import write_table
from glioseg.plot.network import TINT
from glioseg.split.cohort import COHORT_COLUMNS


def test_cohort_command(folder):
    included = {"subject": "a", "verdict": "included", "fold": "0", "has_mask": "yes"}
    write_table(
        folder / "cohort.tsv", COHORT_COLUMNS, [included, {"subject": "b", "verdict": "excluded", "has_mask": "yes"}]
    )
    options = ["--figure", "cohort", "--input", folder / "cohort.tsv", "--input", folder / "preprocess"]
    options += ["--output", folder / "cohort.png"]
    result = CliRunner().invoke(plot.plot, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    assert share(pixels(folder / "cohort.png"), TISSUES["edema"]) > 0.01


def test_network_command_and_its_error(tmp_path):
    model = keras_file(tmp_path / "m.keras", small_unet(32), [["o2", 0, 0], ["deep", 0, 0]])
    arguments = ["--figure", "network", "--input", str(model), "--output", str(tmp_path / "network.png")]
    result = CliRunner().invoke(plot.plot, arguments)
    assert result.exit_code == 0, result.output
    drawn = pixels(tmp_path / "network.png")
    assert drawn.std() > 10
    assert share(drawn, TINT) > 1e-3, "the convolutions"
    drawn = (tmp_path / "network.svg").read_text()
    assert "transposed convolution" in drawn and "<pattern" in drawn, "the transposed convolution is hatched"
    (tmp_path / "m.keras").write_text("not a zip")
    result = CliRunner().invoke(plot.plot, arguments)
    assert result.exit_code != 0
    assert "m.keras: expected a Keras 3 network" in result.output
