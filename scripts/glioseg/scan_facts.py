"""The content of scan.json, which describes a subject's scan. preprocess writes it, and the later steps read it."""

import hashlib
import json
from collections.abc import Mapping
from typing import NotRequired, TypedDict

# What the checks say: no network learns from it.
APART = ("verdict", "reason", "findings")


class Forms(TypedDict):
    """The fields of a NIfTI header that place its voxels, by which viewers may choose the sform or the qform.

    qform_code, sform_code: 0 if the header does not have this form; pixdim (4): handedness, and the voxel size;
    quaternion (3) and offset (3) of the qform; rows (3x4) of the sform; unit: the code of the unit of length.
    """

    qform_code: int
    sform_code: int
    pixdim: list[float]
    quaternion: list[float]
    offset: list[float]
    rows: list[list[float]]
    unit: int


class OwnGrid(TypedDict):
    """The grid of the subject's first file, as it is stored.

    shape (voxels), affine (4x4, mm), orientation (such as "LPS"), and forms, which every file written for it carries.
    """

    shape: list[int]
    affine: list[list[float]]
    orientation: str
    forms: Forms


class Finding(TypedDict):
    """A finding: the name of the check, its verdict ("excluded" or "warned"), and a sentence that explains it."""

    check: str
    verdict: str
    sentence: str


class Intensities(TypedDict):
    """Background value of a modality (None if it has no background), and statistics of its voxels in the brain."""

    background: float | None
    minimum: float
    maximum: float
    mean: float
    std: float


class ScanFacts(TypedDict):
    """The content of scan.json. An excluded scan has only the required keys.

    verdict: "included", "warned" or "excluded"; reason: the sentences of all findings. hashes: SHA-256 of the voxels of
    the brain, by modality. arrays: SHA-256 of image.npy and mask.npy, by name. shape, affine, spacing_mm, crop (voxel
    ranges) and brain_voxels describe the scan in LPS order; target_spacing_mm and array_shape (X, Y, Z, C) describe
    image.npy. Only a scan with a mask has classes, tumor_voxels, tumor_ml, enhancing_ml, tumor_voxels_lost (outside the
    crop) and tumor_percent (of the crop).
    """

    subject: str
    verdict: str
    reason: str
    findings: list[Finding]
    modalities: list[str]
    missing_modalities: list[str]
    labels: str
    has_mask: bool
    hashes: dict[str, str]
    arrays: NotRequired[dict[str, str]]
    shape: NotRequired[list[int]]
    affine: NotRequired[list[list[float]]]
    spacing_mm: NotRequired[list[float]]
    target_spacing_mm: NotRequired[list[float]]
    crop: NotRequired[list[list[int]]]
    array_shape: NotRequired[list[int]]
    own: NotRequired[OwnGrid]
    brain_voxels: NotRequired[int]
    intensities: NotRequired[dict[str, Intensities]]
    classes: NotRequired[dict[str, int]]
    tumor_voxels: NotRequired[int]
    tumor_ml: NotRequired[float]
    enhancing_ml: NotRequired[float]
    tumor_voxels_lost: NotRequired[int]
    tumor_percent: NotRequired[float]


def subjects_with(known: Mapping[str, Mapping[str, str]], hashes: Mapping[str, str]) -> list[str]:
    """Subjects that have the voxels of at least one modality of a scan.

    known: subject -> modality -> hash of its voxels; hashes: of the scan, by modality.
    """
    voxels = set(hashes.values())
    return [name for name, own in known.items() if not voxels.isdisjoint(own.values())]


def content_hash(scan: Mapping) -> str:
    """Hash (16 hexadecimal digits) of what training and prediction read of a scan: its arrays and its grid.

    The findings do not change it.
    """
    facts = {name: value for name, value in scan.items() if name not in APART}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
