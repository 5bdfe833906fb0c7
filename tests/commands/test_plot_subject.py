"""The command `plot_subject` draws the figures of a subject."""

import json

from click.testing import CliRunner
from pictures import pixels, share
from PIL import Image

import plot_subject
from glioseg.colors import REGION_COLORS, TISSUES
from glioseg.plot.style import COMMON


def words_of(folder):
    return ["--scan", folder / "preprocess/a", "--subjects", folder / "subjects.tsv"]


def test_subject_command_draws_all_three(folder):
    scores = folder / "scores.json"
    scores.write_text(json.dumps({"regions": {name: {"dice": 0.5} for name in ("WT", "TC", "ET")}}))
    options = [*words_of(folder), "--labels", "brats2020", "--output", folder / "out"]
    options += ["--prediction", folder / "prediction.nii.gz", "--scores", scores]
    result = CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    names = [f"{name}.{ending}" for name in ("modalities", "planes", "sample") for ending in ("pdf", "png", "svg")]
    assert sorted(path.name for path in (folder / "out").iterdir()) == names
    for name in ("modalities", "sample"):
        drawn = pixels(folder / f"out/{name}.png")[:-40]  # without the legend, which always has the colors
        assert drawn.std() > 10
        assert all((share(drawn, color) > 1e-3) == (tissue in COMMON) for tissue, color in TISSUES.items()), name
    planes = pixels(folder / "out/planes.png")[:-40]
    assert all((share(planes, color) > 2e-4) == (region != "RC") for region, color in REGION_COLORS.items())


def test_planes_and_modalities_are_chosen_on_the_command_line(folder):
    options = [*words_of(folder), "--labels", "brats2020", "--output", folder / "out"]
    sizes = []
    for more in ([], ["--modality", "t1ce", "--plane", "coronal"], ["--modality", "pet"]):
        result = CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in [*options, *more]])
        if "pet" not in more:
            sizes.append(Image.open(folder / "out/planes.png").size)
    assert sizes[1][0] < sizes[0][0] and sizes[1][1] < 0.7 * sizes[0][1]
    assert result.exit_code == 1 and "a: expected any of flair, t1ce, found pet" in result.output


def test_subject_without_mask_and_prediction(folder):
    table = folder / "subjects.tsv"
    table.write_text(table.read_text().replace("a_seg.nii.gz", "n/a"))
    (folder / "preprocess/a/mask.npy").unlink()
    options = [*words_of(folder), "--labels", "brats2020", "--output", folder / "out"]
    result = CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    assert not any(share(pixels(folder / "out/planes.png"), color) for color in REGION_COLORS.values())


def test_excluded_subject_has_no_figures(tmp_path):
    (tmp_path / "scan.json").write_text(json.dumps({"subject": "b", "verdict": "excluded"}))
    (tmp_path / "subjects.tsv").write_text("subject\nb\n")
    options = ["--scan", tmp_path, "--subjects", tmp_path / "subjects.tsv", "--labels", "brats2020"]
    options += ["--output", tmp_path / "out"]
    assert CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in options]).exit_code == 0
    assert list((tmp_path / "out").iterdir()) == []
