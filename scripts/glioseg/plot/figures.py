"""The figures of a whole cohort by name, in the order in which the report shows them.

Each figure has an entry here and a module of the same name in this folder, whose `draw` takes the paths of the inputs
and returns a matplotlib Figure. The rules and the report loop over the entries. This file loads neither NumPy nor
matplotlib, because every start of Snakemake reads it.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

from glioseg.labels import REGIONS


class Contents(NamedTuple):
    """What decides which figures a study has: its configuration, the patient of each subject, and if any has a mask."""

    config: Mapping
    patients: Sequence[str]
    masked: bool


class Entry(NamedTuple):
    """A figure's section in the report, inputs, alternative text and caption.

    section: section of the report, one of `SECTIONS`. inputs: files in the results folder, in which "{model}"
    stands for each model; "{first_model}" is the file of the first model, wherever it is. alt: text for readers who
    cannot see the figure. folders: folders in the results folder that `draw` gets after the inputs; the inputs must
    depend on what it reads there. wanted: whether a study with these contents has the figure.
    """

    section: str
    inputs: tuple[str, ...]
    alt: str
    caption: str
    folders: tuple[str, ...] = ()
    wanted: Callable[[Contents], bool] = lambda study: True


SECTIONS = ("cohort", "scores", "volumes", "training")

FIGURES = {
    "cohort": Entry(
        section="cohort",
        inputs=("split/cohort.tsv",),
        folders=("preprocess",),
        alt="Stacked bars of tumor volume by tissue class for each subject, grouped by fold, and box plots of "
        "whole-tumor volume per fold.",
        wanted=lambda study: study.masked,
        caption="Tumor volume by tissue class for each subject, and whole-tumor volume per fold.",
    ),
    "scores": Entry(
        section="scores",
        inputs=("summarize/subjects.tsv",),
        alt="Box plots of Dice and 95 percent Hausdorff distance per region, with a point per subject, for the network "
        "and the baselines.",
        wanted=lambda study: study.masked,
        caption="Each point is a subject. Boxes show quartiles and median; whiskers reach the last point within 1.5 "
        "times the interquartile range. A region present in only one of truth and prediction has Dice 0 and HD95 "
        "373.13 mm; a region absent from both has Dice 1 and HD95 0 mm (BraTS convention).",
    ),
    "agreement": Entry(
        section="scores",
        inputs=("summarize/subjects.tsv",),
        alt="Two plots per region, with a point per subject: predicted minus true volume against their mean, "
        "and Dice against the true volume.",
        wanted=lambda study: study.masked,
        caption="Above: Bland-Altman plots of the volumes, with the mean difference and the limits of agreement "
        "(±1.96 SD). Below: Dice against the true volume.",
    ),
    "calibration": Entry(
        section="scores",
        inputs=("summarize/calibration.tsv",),
        alt="Reliability diagram per region: the share of true voxels against their predicted probability, with the "
        "distribution of the voxels below.",
        caption="Calibration. On the diagonal, the predicted probability equals the share of true voxels; below it, "
        "the network is overconfident; above it, underconfident. The expected calibration error is the mean distance "
        "from the diagonal over all voxels with a probability of 10 % or more. The bars show how these voxels are "
        "distributed.",
        wanted=lambda study: study.masked and any(name in REGIONS for name in study.config["predict"]["maps"]),
    ),
    "uncertainty": Entry(
        section="scores",
        inputs=("summarize/uncertainty.tsv",),
        alt="Mean Dice against the uncertainty of the segmentation, with a point per subject.",
        wanted=lambda study: study.masked,
        caption="Mean Dice of each segmentation against its uncertainty (1 \N{MINUS SIGN} expected Dice, computed from "
        "the predicted probabilities). Ticks on the axis are subjects without a mask.",
    ),
    "visits": Entry(
        section="volumes",
        inputs=("summarize/volumes.tsv",),
        alt="Three plots, one per region, of the predicted tumor volume at each visit, with a line per patient.",
        caption="Predicted volumes over the visits of each patient, in the order of their names. The patients whose "
        "whole tumor changed most are named; the others are grey.",
        wanted=lambda study: len(set(study.patients)) < len(study.patients),
    ),
    "curves": Entry(
        section="training",
        inputs=("train/{model}/history.tsv",),
        alt="Learning curves: loss, accuracy, intersection over union and Dice per epoch, training and validation, for "
        "every model.",
        wanted=lambda study: not study.config["models"],
        caption="Learning curves of all models. The validation subjects are some of the held-out subjects, whose "
        "scores this report also shows. Their curves are only shown: they influence neither the training nor the "
        "choice of the model, which is that of the last epoch.",
    ),
    "network": Entry(
        section="training",
        inputs=("{first_model}",),
        alt="Diagram of the network: a slab per feature map with its number of channels, a row per resolution, and "
        "arrows for skip connections.",
        caption="The network. Numbers are channels; each row is one resolution.",
    ),
}


def draw_of(name: str) -> Callable:
    """The function `draw` of a figure's module. Importing the module loads matplotlib."""
    return import_module(f"glioseg.plot.{name}").draw
