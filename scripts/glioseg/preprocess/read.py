"""Read a subject's files into volumes on one grid in LPS order, and check them."""

from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np

from glioseg.labels import MASK, known_classes
from glioseg.preprocess import checks, content, plausibility
from glioseg.preprocess.findings import Findings
from glioseg.scan_facts import Forms, OwnGrid
from glioseg.volumes.boxes import Box, bounding_box, cut, within
from glioseg.volumes.nifti import open_nifti, take_volume
from glioseg.volumes.orientation import lps_turn, to_lps


class Volumes(NamedTuple):
    """A subject on one grid in LPS order: images (3-D) by modality, classes (uint8) or None, affine (4x4, mm).

    labelled: the box around all labels, None if there are none. own: the grid of the first image as stored in its file.
    """

    images: dict[str, np.ndarray]
    classes: np.ndarray | None
    labelled: Box | None
    affine: np.ndarray
    own: OwnGrid


def read_scan(files: dict[str, tuple[Path, int]], settings: dict, findings: Findings) -> Volumes | None:
    """Read a subject's files (modality or "seg" -> file, index of the volume in it); None if a finding excludes it.

    settings: modalities, labels. Cheap checks run first. A finding that excludes ends the reading, so that a fault is
    reported without its consequences.
    """
    findings.add("missing", checks.missing(list(settings["modalities"]), [name for name in files if name != MASK]))
    findings.add("same_image", content.same_file(files))
    read, forms = ({}, {}) if findings.excluded else _read_files(files, findings)
    for name, (_, affine) in read.items():
        findings.add("geometry", checks.geometry(name, affine))
    if findings.excluded:
        return None
    own = next(iter(read.values()))
    images = _turn(read, forms, findings)
    if findings.excluded:
        return None
    findings.add("placement", plausibility.no_orientation(forms))
    for name, (voxels, _) in read.items():
        findings.add("placement", plausibility.two_places(name, forms[name], voxels.shape))
    mask = images.pop(MASK, None)
    for name, volume in images.items():
        if volume.dtype.kind == "f":
            findings.add("nonfinite", checks.finite(name, volume))
        findings.add("constant", checks.constant(name, volume))
        if "nonfinite" in findings.tolerated:
            images[name] = np.nan_to_num(volume, nan=0, posinf=0, neginf=0)
    classes, labelled = (None, None) if mask is None else _classes(mask, settings["labels"], findings)
    if findings.excluded:
        return None
    grid = OwnGrid(
        shape=list(own[0].shape),
        affine=own[1].tolist(),
        orientation="".join(nib.aff2axcodes(own[1])),
        forms=next(iter(forms.values())),
    )
    return Volumes(images, classes, labelled, to_lps(*own)[1], grid)


def _read_files(
    files: dict[str, tuple[Path, int]], findings: Findings
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, Forms]]:
    """Read voxels and affine by name, with the axes in the files' own order, and the forms of the headers."""
    read, forms, path, nifti = {}, {}, None, None
    paths = [file for file, _ in files.values()]
    for name, (file, volume) in files.items():
        try:
            # Modalities that share a 4-D file follow one another, so it is decompressed only once.
            if file != path:
                nifti, path = open_nifti(file), file
            read[name], forms[name] = take_volume(nifti, volume), nifti.forms
        except ValueError as error:
            findings.add("unreadable", str(error))
            continue
        # If the other modalities have files of their own, volume 0 is only the default and was not chosen.
        several = nifti.voxels.shape[3]
        if several > 1 and volume == 0 and paths.count(file) == 1 and (name == MASK or len(set(files) - {MASK}) > 1):
            findings.add(
                "unreadable", f"{file} holds {several} volumes; expected only {name}: export that volume alone"
            )
    return read, forms


def _turn(
    read: dict[str, tuple[np.ndarray, np.ndarray]], forms: dict[str, Forms], findings: Findings
) -> dict[str, np.ndarray]:
    """Turn voxels, by name, into LPS order, and report volumes that are not on the same grid."""
    affines = {name: affine for name, (_, affine) in read.items()}
    reference = next(iter(affines.values()))
    sentence = checks.without_orientation(affines, forms)
    findings.add("orientation", sentence)
    if sentence is None:
        sentence = checks.orientations(affines)
        findings.add("orientation", _or_register(sentence))
    if sentence is None:
        # At 45 degrees, rounding in the headers decides which axes are nearest, so the first header decides for all.
        turn = lps_turn(reference)
        turned = {name: nib.apply_orientation(voxels, turn) for name, (voxels, _) in read.items()}
        findings.add("shape", _or_register(checks.shapes({name: voxels.shape for name, voxels in turned.items()})))
        spacing = checks.spacings(affines)
        findings.add("spacing", _or_register(spacing))
        findings.add("affine", None if spacing else _or_register(checks.affines(affines)))
    else:
        turned = {name: to_lps(*pair)[0] for name, pair in read.items()}
        findings.add("shape", _or_register(checks.shapes({name: voxels.shape for name, voxels in turned.items()})))
    return turned


def _or_register(sentence: str | None) -> str | None:
    """A sentence on volumes that are not on one grid, with the setting that brings them there."""
    return sentence and f"{sentence}, or set register: mode to auto"


def _classes(mask: np.ndarray, dialect: str, findings: Findings) -> tuple[np.ndarray | None, Box | None]:
    """Class indices (uint8, same shape) of a mask in a label dialect, and the box around all labels.

    Both are None if a finding excludes the scan. The box is None if the mask is empty.
    """
    # Only the small box around the labels needs to be checked and converted.
    box = bounding_box(mask != 0)
    part = cut(mask, box).astype(np.float32)
    findings.add("nonfinite", checks.finite(MASK, part))
    if findings.excluded:
        return None, None
    part = np.nan_to_num(part, nan=0, posinf=0, neginf=0)
    findings.add("mask_fractional", checks.mask_fractional(part))
    findings.add("mask_values", checks.mask_values(part, dialect))
    if findings.excluded:
        return None, None
    findings.add("mask_one_value", plausibility.mask_one_value(part, dialect))
    part = known_classes(part, dialect)
    findings.add("mask_empty", checks.mask_empty(part))
    classes = np.zeros(mask.shape, np.uint8)
    cut(classes, box)[...] = part
    return classes, within(box, bounding_box(part > 0)) if part.any() else None
