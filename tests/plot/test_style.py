"""Figures are saved as small, reproducible PNG files and as SVG files for print."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib.text import Text
from pictures import keras_file, small_unet
from PIL import Image

from glioseg.colors import TISSUES
from glioseg.evaluate.calibration import calibration as calibration_bins
from glioseg.labels import REGIONS
from glioseg.plot.agreement import agreement
from glioseg.plot.calibration import calibration
from glioseg.plot.cohort import cohort
from glioseg.plot.network import network
from glioseg.plot.network_stages import stages
from glioseg.plot.style import dice_floor, distance_ticks, save, save_for_print, sentence, shown_tissues
from glioseg.plot.subjects import subject_slices
from glioseg.plot.subjects.slices import PLANES
from glioseg.predict.keras_file import read_layers


def test_saving_twice_gives_the_same_small_bytes(volumes, tmp_path):
    image, brain, classes = volumes
    for name in ("one.png", "two.png"):
        save(subject_slices.modalities({"flair": image}, brain, np.ones(3), classes), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").stat().st_size < 60_000
    assert not list(tmp_path.glob(".partial*"))


def test_classes_of_a_legend():
    assert shown_tissues([]) == ["necrosis", "edema", "enhancing"]
    assert shown_tissues(name for name in ("cyst", "background", "cavity")) == list(TISSUES)


def test_figures_for_print_are_180_mm_wide_at_300_dots_per_inch(tmp_path):
    for name in ("a", "b"):
        save_for_print(sentence("no scores"), tmp_path / f"print/{name}.png")
    image = Image.open(tmp_path / "print/a.png")
    assert image.size[0] == pytest.approx(180 / 25.4 * 300, abs=1)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    pdf = (tmp_path / "print/a.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Type3" not in pdf and b"CreationDate" not in pdf
    for ending in ("png", "pdf"):
        assert (tmp_path / f"print/a.{ending}").read_bytes() == (tmp_path / f"print/b.{ending}").read_bytes()


def test_a_figure_is_also_saved_for_print(tmp_path, volumes):
    image, brain, classes = volumes
    for name in ("a", "b"):
        figure = subject_slices.planes({"t1": image}, brain, np.ones(3), classes, classes, "patient 7", list(PLANES))
        save(figure, tmp_path / f"{name}.png")
    drawn = (tmp_path / "a.svg").read_text()
    assert re.search(r"<text [^>]*>patient 7</text>", drawn), "text stays text"
    assert drawn == (tmp_path / "b.svg").read_text()
    widths = [int(width) for width in re.findall(r'<image [^>]*\bwidth="(\d+)', drawn.replace("\n", " "))]
    assert widths
    embedded = re.findall(r"data:image/png;base64,\s*([^\"]+)", drawn)
    sizes = [Image.open(io.BytesIO(base64.b64decode(data))).size[0] for data in embedded]
    assert max(sizes) > 300, "enough pixels for print"


def test_text_is_readable_in_print(volumes, tmp_path):
    """Journals print figures at most 180 mm wide, and ask for letters of at least 5 points."""
    image, brain, classes = volumes
    images = dict.fromkeys(("flair", "t1", "t1ce", "t2"), image)
    wide = np.array([1.0, 6.0, 6.0])
    model = keras_file(tmp_path / "m.keras", small_unet(32), [["o2", 0, 0], ["deep", 0, 0]])
    names = [f"subject {place}" for place in range(30)]
    shown = [
        subject_slices.planes(images, brain, wide, classes, classes, "patient 7", list(PLANES)),
        subject_slices.modalities(images, brain, wide, classes),
        subject_slices.sample(images, brain, wide, classes),
        network(stages(*read_layers(model))),
        agreement({name: ([1, 2], [2, 2], [0.5, 0.6]) for name in REGIONS}),
        cohort({name: [1, 2, 3, 0, 0] for name in names}, dict.fromkeys(names, "0")),
        calibration({name: {"a": bins_of_one(classes)} for name in REGIONS}),
    ]
    for figure in shown:
        shrunk = min(1, 180 / 25.4 / figure.get_figwidth())
        words = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        assert len(words) > 3 and min(text.get_fontsize() for text in words) * shrunk >= 5


def bins_of_one(classes):
    return calibration_bins(np.linspace(0, 1, classes.size).reshape(classes.shape), classes > 0)


def test_axes_cover_the_values_and_little_more():
    assert [dice_floor(values) for values in ([0.9, 0.76], [0.75], [0.51, 1], [0.5], [0], [], [float("nan"), 0.9])] == [
        0.75, 0.5, 0.5, 0, 0, 0, 0.75,
    ]  # fmt: skip
    assert distance_ticks([0.5]) == [0, 1] and distance_ticks([5, 5.1])[-1] == 10 and distance_ticks([]) == [0, 1]
    assert distance_ticks([373.13])[-2:] == [200, 373.13]
