"""Figures: what they show, on which side, in which color, from arrays small enough to know the answer."""

import base64
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.colors import to_rgb
from PIL import Image

import plot
import plot_subject
from glioseg.evaluate.summary import SUBJECT_COLUMNS
from glioseg.files import write_json, write_table
from glioseg.plot import agreement, cohort, curves, scores, slices, subject_slices
from glioseg.plot.figures import FIGURES, SECTIONS, draw_of
from glioseg.plot.network import network
from glioseg.plot.network_stages import stages
from glioseg.plot.slices import PLANES
from glioseg.plot.style import COMMON, REGION_COLORS, TISSUES, save, shown_tissues
from glioseg.predict.keras_file import read_layers
from glioseg.preprocess.scan import preprocess_scan
from glioseg.split.cohort import COLUMNS

LPS = np.array([[-1, 0, 0, 23], [0, -1, 0, 27], [0, 0, 1, 0], [0, 0, 0, 1]], float)
RAS = np.diag([1.0, 1.0, 1.0, 1.0])
SWAPPED = np.array([[0, 0, 2, 0], [-1, 0, 0, 27], [0, 1, 0, 0], [0, 0, 0, 1]], float)  # axes: back, up, right (2 mm)
SHAPE = (24, 28, 20)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def share(image: np.ndarray, color: str) -> float:
    """How much of a picture has about this color."""
    return float((np.abs(image - 255 * np.array(to_rgb(color))).max(axis=-1) < 25).mean())


@pytest.fixture
def volumes():
    """A ball of brain with a cube of edema, in it necrosis, in it enhancing tumor."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, size) for size in SHAPE], indexing="ij"))
    brain = (grid**2).sum(axis=0) < 0.95
    classes = np.zeros(SHAPE, np.uint8)
    classes[4:13, 8:18, 6:14] = 2
    classes[6:12, 10:16, 8:12] = 1
    classes[8:11, 12:15, 9:11] = 3
    image = np.where(brain, 100 + 20 * grid[0] + 30 * classes, 0).astype(np.float32)
    return image, brain, classes


@pytest.fixture
def folder(tmp_path, volumes):
    """One preprocessed subject with its files and a prediction that is off by one voxel."""
    image, _, classes = volumes
    values = np.array([0, 1, 2, 4], np.uint8)
    files = {name: tmp_path / f"a_{name}.nii.gz" for name in ("flair", "t1ce", "seg")}
    for name in ("flair", "t1ce"):
        nib.save(nib.Nifti1Image(image, LPS), files[name])
    nib.save(nib.Nifti1Image(values[classes], LPS), files["seg"])
    nib.save(nib.Nifti1Image(values[np.roll(classes, 1, axis=1)], LPS), tmp_path / "prediction.nii.gz")
    settings = {"modalities": ["flair", "t1ce"], "labels": "brats2020", "spacing_mm": 1.0, "crop": "brain"}
    settings |= {"normalization": "zscore", "min_tumor_percent": 0.0, "missing": "exclude", "forced": False}
    images = {name: (files[name], 0) for name in ("flair", "t1ce")}
    scan, arrays = preprocess_scan("a", images, (files["seg"], 0), settings)
    write_json(tmp_path / "preprocess/a/scan.json", scan)
    for name, array in arrays.items():
        np.save(tmp_path / f"preprocess/a/{name}.npy", array)
    return tmp_path


@pytest.mark.parametrize("affine", [LPS, RAS, SWAPPED], ids=["LPS", "RAS", "swapped"])
def test_the_patients_right_is_on_the_viewers_left(affine):
    shape = (28, 20, 12) if affine is SWAPPED else SHAPE
    volume = np.zeros(shape)
    corner = nib.affines.apply_affine(affine, np.argwhere(volume == 0))
    right_front_top = (corner - corner.mean(axis=0) > 4).all(axis=1)
    volume.ravel()[right_front_top] = 1
    upright = slices.turn(volume, affine)
    for plane, axis in (("axial", 2), ("coronal", 1), ("sagittal", 0)):
        rows, columns = np.nonzero(slices.cut(upright, plane, slices.fullest(upright > 0, plane)))
        height, width = np.delete(upright.shape, axis)[::-1]
        assert rows.max() < height / 2, "front and top are above"
        assert columns.max() < width / 2, "right (in sagittal slices front) is on the left"


def test_spacing_follows_the_axes():
    assert slices.spacing(SWAPPED).tolist() == [2, 1, 1]


def test_fullest_slice_and_its_empty_case():
    mask = np.zeros((3, 4, 7), bool)
    assert slices.fullest(mask, "axial") == 3
    mask[0, :2, 5] = True
    assert slices.fullest(mask, "axial") == 5


def test_subject_command_draws_all_three(folder):
    scores = folder / "scores.json"
    scores.write_text(json.dumps({"regions": {name: {"dice": 0.5} for name in ("WT", "TC", "ET")}}))
    options = ["--scan", folder / "preprocess/a", "--labels", "brats2020", "--output", folder / "out"]
    options += ["--prediction", folder / "prediction.nii.gz", "--scores", scores]
    result = CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    names = [f"{name}.{ending}" for name in ("modalities", "planes", "sample") for ending in ("png", "svg")]
    assert sorted(path.name for path in (folder / "out").iterdir()) == names
    for name in ("modalities", "sample"):
        picture = pixels(folder / f"out/{name}.png")[:-40]  # without the legend, which has the colors anyway
        assert picture.std() > 10
        assert all((share(picture, color) > 1e-3) == (tissue in COMMON) for tissue, color in TISSUES.items()), name
    planes = pixels(folder / "out/planes.png")[:-40]
    assert all((share(planes, color) > 2e-4) == (region != "RC") for region, color in REGION_COLORS.items())


def test_planes_and_modalities_are_chosen_on_the_command_line(folder):
    options = ["--scan", folder / "preprocess/a", "--labels", "brats2020", "--output", folder / "out"]
    sizes = []
    for more in ([], ["--modality", "t1ce", "--plane", "coronal"], ["--modality", "pet"]):
        result = CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in [*options, *more]])
        if "pet" not in more:
            sizes.append(Image.open(folder / "out/planes.png").size)
    assert sizes[1][0] < sizes[0][0] and sizes[1][1] < 0.7 * sizes[0][1]
    assert result.exit_code == 1 and "a: expected any of flair, t1ce, found pet" in result.output


def test_subject_without_mask_and_prediction(folder):
    path = folder / "preprocess/a/scan.json"
    scan = json.loads(path.read_text())
    del scan["files"]["seg"]
    path.write_text(json.dumps(scan))
    (folder / "preprocess/a/mask.npy").unlink()
    options = ["--scan", folder / "preprocess/a", "--labels", "brats2020", "--output", folder / "out"]
    result = CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    assert not any(share(pixels(folder / "out/planes.png"), color) for color in REGION_COLORS.values())


def test_excluded_subject_has_no_pictures(tmp_path):
    (tmp_path / "scan.json").write_text(json.dumps({"subject": "b", "verdict": "excluded"}))
    options = ["--scan", tmp_path, "--labels", "brats2020", "--output", tmp_path / "out"]
    assert CliRunner().invoke(plot_subject.plot_subject, [str(option) for option in options]).exit_code == 0
    assert list((tmp_path / "out").iterdir()) == []


def test_contours_of_truth_are_darker_than_those_of_the_prediction(volumes, tmp_path):
    image, brain, classes = volumes
    for kind, truth, prediction in (("truth", classes, None), ("prediction", None, classes)):
        save(
            subject_slices.planes({"t1": image}, brain, np.ones(3), truth, prediction, "", list(PLANES)),
            tmp_path / f"{kind}.png",
        )
    dark = "#{:02x}{:02x}{:02x}".format(*(int(255 * part) for part in slices.line_color(TISSUES["edema"], "truth")))
    assert share(pixels(tmp_path / "truth.png"), dark) > 4 * share(pixels(tmp_path / "prediction.png"), dark)


def test_saving_twice_gives_the_same_small_bytes(volumes, tmp_path):
    image, brain, classes = volumes
    for name in ("one.png", "two.png"):
        save(subject_slices.modalities({"flair": image}, brain, np.ones(3), classes), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.png").stat().st_size < 60_000
    assert not list(tmp_path.glob(".partial*"))


def words(figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


@pytest.mark.parametrize(("index", "tissue"), [(4, "cavity"), (5, "cyst")])
def test_a_class_that_few_data_sets_have_is_shown_where_it_is(volumes, tmp_path, index, tissue):
    image, brain, classes = volumes
    assert words(subject_slices.modalities({"flair": image}, brain, np.ones(3), classes)) == list(COMMON)
    classes[14:18, 9:15, 8:13] = index
    figure = subject_slices.modalities({"flair": image}, brain, np.ones(3), classes)
    assert words(figure) == [*COMMON, tissue]
    save(figure, tmp_path / "modalities.png")
    assert share(pixels(tmp_path / "modalities.png")[:-40], TISSUES[tissue]) > 1e-3
    bars = subject_slices.sample({"flair": image}, brain, np.ones(3), classes).axes[-1]
    assert [label.get_text() for label in bars.get_yticklabels()] == [*COMMON, tissue]
    assert [bar.get_width() > 0 for bar in bars.patches] == [True] * 4


def test_the_contour_of_a_cavity_is_drawn_where_truth_or_prediction_has_one(volumes, tmp_path):
    image, brain, classes = volumes
    images = {"flair": image, "t1ce": image}
    predicted = classes.copy()
    predicted[14:18, 9:15, 8:13] = 4
    figure = subject_slices.planes(images, brain, np.ones(3), classes, predicted, "", list(PLANES))
    regions = ["whole tumor", "tumor core", "enhancing tumor", "resection cavity"]
    assert words(figure) == [*regions, "truth", "prediction"]
    save(figure, tmp_path / "planes.png")
    assert share(pixels(tmp_path / "planes.png")[:-40], REGION_COLORS["RC"]) > 2e-4
    figure = subject_slices.planes(images, brain, np.ones(3), classes, classes, "", list(PLANES))
    assert words(figure) == [*regions[:3], "truth", "prediction"]


def test_classes_to_name():
    assert shown_tissues([]) == ["necrosis", "edema", "enhancing"]
    assert shown_tissues(name for name in ("cyst", "background", "cavity")) == list(TISSUES)


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
        (tmp_path / fold / "history.csv").write_text("epoch,loss,val_loss\n1,4,\n2,3,3.5\n")
    figure = draw_of("curves")([tmp_path / fold / "history.csv" for fold in ("0", "1")])
    lines = figure.axes[0].lines
    assert lines[0].get_ydata().tolist() == [4, 3]
    assert (lines[-1].get_xdata().tolist(), lines[-1].get_ydata().tolist()) == ([2], [3.5])
    assert "one of 2 models" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_curves_of_folds_have_their_mean_where_all_have_a_value():
    short = {"epoch": np.array([1.0, 2]), "loss": np.array([1.0, 3])}
    long = {"epoch": np.array([1.0, 2, 3]), "loss": np.array([3.0, 5, 9])}
    assert curves.curves({"0": short, "1": long}).axes[0].lines[-1].get_ydata().tolist() == [2, 4]


def test_scores_show_every_subject_and_no_metric_that_nobody_has():
    dice = {"network": {name: [0.1, 0.5, 0.9, 0.3, 0.2] for name in ("WT", "TC", "ET")}}
    figure = scores.scores({"dice": dice, "hd95_mm": {}})
    assert len(figure.axes) == 1
    assert [len(points.get_offsets()) for points in figure.axes[0].collections] == [5, 5, 5]
    assert "No subject was scored" in scores.scores({"dice": {}, "hd95_mm": {}}).texts[0].get_text()


def test_scores_of_a_region_that_some_methods_and_subjects_lack():
    some = {"network": {"RC": [0.5], "WT": [0.5] * 6, "TC": [0.5] * 6, "ET": [0.5] * 6}, "other": {"TC": [0.5] * 6}}
    figure = scores.scores({"dice": some, "hd95_mm": {"network": {"WT": [1]}}})
    names = [[label.get_text()[-3:-1] for label in axis.get_xticklabels()] for axis in figure.axes]
    assert names == [["WT", "TC", "ET", "RC"]] * 2
    points = {
        round(float(found.get_offsets()[:, 0].mean())): len(found.get_offsets())
        for found in figure.axes[0].collections[:4]
    }
    assert points == {0: 6, 1: 6, 2: 6, 3: 1}
    assert figure.axes[0].collections[4].get_offsets()[:, 0].mean() == pytest.approx(1.2, abs=0.1)


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
    # Two subjects that agree to the voxel have no spread.
    assert [line.get_ydata()[0] for line in enhancing.lines] == [0, 0]
    assert len(agreement.agreement({"WT": ([3], [4], [0.5])}).axes[0].lines) == 2
    assert "No subject was scored" in agreement.agreement({}).texts[0].get_text()


def test_agreement_is_of_the_network_and_of_known_volumes(tmp_path):
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


def test_cohort_stacks_classes_largest_first():
    figure = cohort.cohort(
        {"a": [1, 2, 3, 0, 0], "b": [4, 5, 6, 0, 0], "c": [1, 1, 1, 0, 0]}, {"a": "0", "b": "0", "c": "test"}
    )
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["b", "a", "c"]
    assert [round(bar.get_height(), 6) for bar in axis.patches[:3]] == [4, 1, 1]
    assert len(axis.patches) == 9 and words(figure) == list(COMMON)
    assert "No subject has a mask" in cohort.cohort({}, {}).texts[0].get_text()


def test_a_cavity_is_stacked_but_is_no_tumor():
    figure = cohort.cohort({"a": [1, 1, 1, 9, 0], "b": [2, 2, 2, 0, 0]}, {"a": "0", "b": "0"})
    bars, boxes = figure.axes
    assert words(figure) == [*COMMON, "cavity"] and bars.get_title(loc="left").startswith("tumor and cavity")
    assert [label.get_text() for label in bars.get_xticklabels()] == ["b", "a"], "by tumor, without the cavity"
    assert sum(bar.get_height() for bar in bars.patches) == 18
    assert sorted(boxes.collections[0].get_offsets()[:, 1].tolist()) == [3, 6]


@pytest.mark.parametrize("count", [1, 7, 300])
def test_cohort_of_any_size_draws(count, tmp_path):
    volumes = {f"subject {place}": [1.0, place, 2.0, place % 2, 0.0] for place in range(count)}
    save(cohort.cohort(volumes, {name: str(len(name) % 3) for name in volumes}), tmp_path / "cohort.png")
    assert pixels(tmp_path / "cohort.png").std() > 10


def test_cohort_command(folder):
    taken = {"subject": "a", "verdict": "taken", "fold": "0", "has_mask": "yes"}
    write_table(folder / "cohort.tsv", COLUMNS, [taken, {"subject": "b", "verdict": "excluded", "has_mask": "yes"}])
    options = ["--figure", "cohort", "--input", folder / "cohort.tsv", "--input", folder / "preprocess"]
    options += ["--output", folder / "cohort.png"]
    result = CliRunner().invoke(plot.plot, [str(option) for option in options])
    assert result.exit_code == 0, result.output
    assert share(pixels(folder / "cohort.png"), TISSUES["edema"]) > 0.01


def keras_file(path: Path, layers: list, outputs: list) -> Path:
    """A .keras file without weights. A layer is (class, name, settings, inputs, output shape)."""
    shapes = {name: shape for _, name, _, _, shape in layers}
    described = []
    for kind, name, settings, inputs, _ in layers:
        tensors = [
            {"class_name": "__keras_tensor__", "config": {"shape": shapes[source], "keras_history": [source, 0, 0]}}
            for source in inputs
        ]
        args = [tensors] if len(tensors) > 1 else tensors
        nodes = [{"args": args, "kwargs": {}}] if inputs else []
        described.append(
            {"class_name": kind, "name": name, "config": {"name": name, **settings}, "inbound_nodes": nodes}
        )
    model = {"class_name": "Functional", "config": {"layers": described, "output_layers": outputs}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(model))
    return path


def conv(filters: int, size: int = 3, **settings) -> dict:
    return {"filters": filters, "kernel_size": [size] * 3, "strides": [1, 1, 1], "activation": "relu", **settings}


def small_unet(size: int | None) -> list:
    def shape(factor, channels):
        return [None, *[size and size // factor] * 3, channels]

    return [
        ("InputLayer", "in", {"batch_shape": shape(1, 3)}, [], shape(1, 3)),
        ("Conv3D", "a1", conv(8), ["in"], shape(1, 8)),
        ("Dropout", "a2", {"rate": 0.1}, ["a1"], shape(1, 8)),
        ("Conv3D", "a3", conv(8), ["a2"], shape(1, 8)),
        ("MaxPooling3D", "p", {"pool_size": [2, 2, 2], "strides": [2, 2, 2]}, ["a3"], shape(2, 8)),
        ("Conv3D", "b1", conv(16), ["p"], shape(2, 16)),
        ("glioseg>Norm", "b2", {}, ["b1"], shape(2, 16)),
        ("Conv3DTranspose", "t", conv(8, 2, strides=[2, 2, 2], activation="linear"), ["b2"], shape(1, 8)),
        ("Concatenate", "c", {}, ["t", "a3"], shape(1, 16)),
        ("Conv3D", "d1", conv(8), ["c"], shape(1, 8)),
        ("Conv3D", "o1", conv(4, 1, activation="linear"), ["d1"], shape(1, 4)),
        ("Activation", "o2", {"activation": "softmax"}, ["o1"], shape(1, 4)),
        ("Conv3D", "deep", conv(4, 1, activation="sigmoid"), ["b2"], shape(2, 4)),
    ]


@pytest.mark.parametrize("size", [32, None])
def test_plan_of_a_small_unet(size, tmp_path):
    layers, outputs = read_layers(keras_file(tmp_path / "m.keras", small_unet(size), [["o2", 0, 0], ["deep", 0, 0]]))
    down, bottom, up = stages(layers, outputs)
    assert [slab.channels for slab in down.slabs] == [3, 8, 8]
    assert (down.size, bottom.size, bottom.factor) == (((32,) * 3, (16,) * 3, 2) if size else ((), (), 2))
    assert bottom.pooled == "max"
    assert [(slab.made_by, slab.channels) for slab in up.slabs] == [("transposed", 8), ("convolution", 8)]
    assert [(source is down, merge, channels) for source, merge, channels in up.skips] == [(True, "concatenate", 8)]
    assert [text[0] + text[-8:] for text in up.outputs + bottom.outputs] == ["4 softmax", "4 sigmoid"]
    assert down.notes["dropout 0.1"] == 1
    assert bottom.notes["Norm"] == 1


def test_network_command_and_its_error(tmp_path):
    model = keras_file(tmp_path / "m.keras", small_unet(32), [["o2", 0, 0], ["deep", 0, 0]])
    arguments = ["--figure", "network", "--input", str(model), "--output", str(tmp_path / "network.png")]
    result = CliRunner().invoke(plot.plot, arguments)
    assert result.exit_code == 0, result.output
    picture = pixels(tmp_path / "network.png")
    assert picture.std() > 10
    assert share(picture, "#009E73") > 1e-3, "the transposed convolution"
    (tmp_path / "m.keras").write_text("not a zip")
    result = CliRunner().invoke(plot.plot, arguments)
    assert result.exit_code != 0
    assert "m.keras: expected a Keras 3 network" in result.output


def test_transposed_convolution_in_front_of_the_output_is_drawn(tmp_path):
    full, half = [None, 8, 8, 8, 4], [None, 4, 4, 4, 4]
    layers = [
        ("InputLayer", "in", {"batch_shape": full}, [], full),
        ("Conv3D", "stem", conv(4, strides=[2, 2, 2]), ["in"], half),
        ("Conv3DTranspose", "head", conv(4, 2, strides=[2, 2, 2], activation="linear"), ["stem"], full),
        ("Activation", "softmax", {"activation": "softmax"}, ["head"], full),
    ]
    plan = stages(*read_layers(keras_file(tmp_path / "m.keras", layers, ["softmax", 0, 0])))
    assert [[slab.made_by for slab in stage.slabs] for stage in plan] == [["input"], ["strided"], ["transposed"]]
    assert "softmax" in plan[-1].outputs[0]


@pytest.mark.parametrize("single_output", [["o2", 0, 0], [["o2", 0, 0]]])
def test_single_output_is_recorded_in_two_ways(single_output, tmp_path):
    layers = small_unet(32)[:-1]
    assert read_layers(keras_file(tmp_path / "m.keras", layers, single_output))[1] == ["o2"]


def test_network_that_is_no_u_still_draws(tmp_path):
    shape = [None, 8, 8, 8, 4]
    layers = [("InputLayer", "in", {"batch_shape": shape}, [], shape)]
    for place, (kind, settings) in enumerate(
        [
            ("Conv3D", conv(4, strides=[2, 2, 2])),
            ("UpSampling3D", {"size": [2, 2, 2]}),
            ("Conv3D", conv(6, strides=[2, 2, 2])),
            *[("Conv3D", conv(6))] * 7,
            ("GlobalAveragePooling3D", {}),
            ("Dense", {"units": 2, "activation": "softmax"}),
        ]
    ):
        layers.append((kind, f"layer{place}", settings, [layers[-1][1]], shape))
    plan = stages(*read_layers(keras_file(tmp_path / "m.keras", layers, [layers[-1][1], 0, 0])))
    save(network(plan), tmp_path / "network.png")
    assert pixels(tmp_path / "network.png").std() > 5


def test_uncertainty_against_dice(tmp_path):
    rows = [{"uncertainty": unsure, "dice": dice} for unsure, dice in ((0.1, 0.9), (0.2, 0.85), (0.3, 0.5), (0.4, 0.6))]
    rows += [{"uncertainty": 0.25, "dice": ""}]
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), rows)
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert axis.collections[0].get_offsets().tolist() == [[0.1, 0.9], [0.2, 0.85], [0.3, 0.5], [0.4, 0.6]]
    # Ranks 1 2 3 4 against 4 3 1 2: 1 - 6 · (9 + 1 + 4 + 4) / 60.
    assert "4 scored subjects, Spearman's rank correlation \N{MINUS SIGN}0.80" in axis.get_title("left")
    write_table(tmp_path / "uncertainty.tsv", ("uncertainty", "dice"), [])
    (axis,) = draw_of("uncertainty")([tmp_path / "uncertainty.tsv"]).axes
    assert "0 scored subjects: too few" in axis.get_title("left")


def test_drawing_does_not_import_tensorflow():
    code = "import sys, plot, plot_subject, report; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    scripts = Path(plot.__file__).parent
    assert subprocess.run([sys.executable, "-c", code], cwd=scripts, check=False).returncode == 0


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_its_module_its_words_and_a_place_in_the_report(name):
    entry = FIGURES[name]
    assert callable(draw_of(name))
    assert entry.section in SECTIONS
    assert entry.caption.endswith(".") and entry.alt.endswith(".")


def test_a_figure_is_saved_for_print_beside_it(tmp_path, volumes):
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
    assert max(sizes) > 300, "pixels enough for print"
