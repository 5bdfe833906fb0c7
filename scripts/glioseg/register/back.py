"""From the common space back to the grid of every series."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glioseg.labels import MASK
from glioseg.model_files import ModelFile, content_of
from glioseg.register.grids import Grid
from glioseg.register.label_maps import label_map_on
from glioseg.scan_facts import Forms
from glioseg.volumes.dicom_segmentation import write_segmentation_object
from glioseg.volumes.nifti import write_label_map
from glioseg.workflow.home import version


class Dicom(NamedTuple):
    """The folders of the series that came as DICOM, by modality; the dialect of the label map; and its models."""

    folders: Mapping[str, Path]
    dialect: str
    models: Sequence[ModelFile]


def label_maps_of_series(
    labels: np.ndarray, affine: np.ndarray, facts: dict
) -> dict[str, tuple[np.ndarray, np.ndarray, Forms]]:
    """A label map (3-D) in the common space on the grid of each series: labels (uint8), affine (4x4, mm) and forms.

    facts: the content of register.json. The mask of a subject is no series.
    """
    found = {}
    for name, series in facts["series"].items():
        if name != MASK:
            grid = Grid(tuple(series["shape"]), np.array(series["affine"]))
            there = label_map_on(labels.astype(np.uint8), affine, grid, np.linalg.inv(np.array(series["matrix"])))
            found[name] = (there, grid.affine, series["forms"])
    return found


def write_on_series(folder: Path, labels: np.ndarray, affine: np.ndarray, facts: dict, dicom: Dicom) -> list[str]:
    """Write a label map in the common space on the grid of each series, and name the files that were written.

    They are MODALITY.nii.gz, and for a series that came as DICOM also MODALITY.dcm, a segmentation object that refers
    to it. If that cannot be made, a sentence that says why stands in its place. facts: as of `label_maps_of_series`.
    """
    found = label_maps_of_series(labels, affine, facts)
    said = []
    for name, label_map in found.items():
        write_label_map(folder / f"{name}.nii.gz", *label_map)
        said.append(f"{name}.nii.gz")
    made_by = {"version": version(), "models": [content_of(model) for model in dicom.models]} if dicom.folders else {}
    for name in (name for name in dicom.folders if name in found):
        try:
            write_segmentation_object(
                folder / f"{name}.dcm", found[name][0], dicom.dialect, dicom.folders[name], made_by
            )
            said.append(f"{name}.dcm")
        except ValueError as error:
            said.append(str(error))
    return said
