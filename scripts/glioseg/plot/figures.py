"""The figures of a whole cohort by name, in the order in which the report shows them.

A figure is a module of this folder with the same name, whose `draw` takes the paths of the inputs and returns a
matplotlib Figure, and its entry here. The rules and the report loop over the entries. This file loads neither NumPy nor
matplotlib, since every start of Snakemake reads it.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

from glioseg.labels import REGIONS


class Entry(NamedTuple):
    """Where a figure stands in the report, its inputs, and its words.

    section: of the report, one of `SECTIONS`. inputs: files below the folder of results; "{model}" stands for each
    model, "{first_model}" for the first of them. folders: folders below the folder of results that `draw` gets after
    the inputs; the inputs must depend on what it reads there. alt: for who cannot see the figure. wanted: whether a
    study (its configuration) has the figure.
    """

    section: str
    inputs: tuple[str, ...]
    alt: str
    caption: str
    folders: tuple[str, ...] = ()
    wanted: Callable[[Mapping], bool] = lambda config: True


SECTIONS = ("cohort", "scores", "training")

FIGURES = {
    "cohort": Entry(
        section="cohort",
        inputs=("split/cohort.tsv",),
        folders=("preprocess",),
        alt="Stacked bars of the volume of each tissue class in every subject, by fold, and boxes of the whole tumor's "
        "volume per fold.",
        caption="Tumor volume by tissue class, and how the folds compare.",
    ),
    "scores": Entry(
        section="scores",
        inputs=("summarize/subjects.tsv",),
        alt="Box plots of Dice and 95 percent Hausdorff distance per region, every subject a point, the network beside "
        "the baselines.",
        caption="Every subject is a point; boxes are quartiles and median, whiskers reach the last point within 1.5 "
        "times their range. A region found in only one of truth and prediction has Dice 0 and counts as 373.13 mm; one "
        "absent from both has Dice 1 and 0 mm (the convention of BraTS).",
    ),
    "agreement": Entry(
        section="scores",
        inputs=("summarize/subjects.tsv",),
        alt="Per region: the difference of predicted and true volume against their mean, and Dice against the true "
        "volume, every subject a point.",
        caption="Volumes after Bland and Altman, with the mean difference and its limits of agreement, and how Dice "
        "depends on the size of the tumor.",
    ),
    "calibration": Entry(
        section="scores",
        inputs=("summarize/calibration.tsv",),
        alt="Reliability diagram per region: the share of voxels that are true over the probability they were given, "
        "with the number of voxels below.",
        caption="Calibration: where the line lies on the diagonal, a probability means what it says; below it the "
        "network is too sure of tumor, above it not sure enough. The expected calibration error is the mean distance "
        "over all voxels that were given 10 % or more.",
        wanted=lambda config: any(name in REGIONS for name in config["predict"]["maps"]),
    ),
    "uncertainty": Entry(
        section="scores",
        inputs=("summarize/uncertainty.tsv",),
        alt="Uncertainty of each segmentation against its mean Dice, every subject a point.",
        caption="How unsure a segmentation is (1 less the Dice that its own probabilities let expect) against how good "
        "it turned out; ticks on the axis are subjects without a mask.",
    ),
    "curves": Entry(
        section="training",
        inputs=("train/{model}/history.tsv",),
        alt="Learning curves: loss, accuracy, intersection over union and Dice per epoch, training and validation, for "
        "every fold.",
        caption="Learning curves of all models; validation is on the subjects watched during training.",
    ),
    "network": Entry(
        section="training",
        inputs=("train/{first_model}/model.keras",),
        alt="Diagram of the network, a slab per feature map with its channels, a row per resolution, skip connections "
        "across.",
        caption="The network. Numbers are channels; each row is one resolution.",
    ),
}


def draw_of(name: str) -> Callable:
    """The function `draw` of a figure's module, which loads matplotlib."""
    return import_module(f"glioseg.plot.{name}").draw
