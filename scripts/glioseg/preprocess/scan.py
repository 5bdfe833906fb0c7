"""Preprocess one subject from files to arrays: read, check, normalize, crop, resample and stack."""

import hashlib
import math
from pathlib import Path
from typing import TypedDict

import numpy as np

from glioseg import labels
from glioseg.choices import choose
from glioseg.labels import MASK
from glioseg.preprocess import checks, content, coverage, plausibility
from glioseg.preprocess.appearance import thin
from glioseg.preprocess.crop import Grid, lay_out, unfit
from glioseg.preprocess.findings import CHECKS, NEEDED, Findings
from glioseg.preprocess.normalize import NORMALIZATIONS, intensities
from glioseg.preprocess.read import Volumes, read_scan
from glioseg.scan_facts import ScanFacts
from glioseg.volumes.boxes import cut, lengths, overlap, relative
from glioseg.volumes.brain import brain_mask
from glioseg.volumes.orientation import voxel_ml
from glioseg.volumes.resample import resample

# A subject with a missing modality is excluded, or gets zeros for it.
MISSING = ("exclude", "zeros")


class PreprocessSettings(TypedDict):
    """The section `preprocess` of the configuration, and the other settings that decide how a scan is prepared.

    modalities: the channels, in order; labels: label dialect of the mask; crop: "brain" or three voxel ranges; forced:
    whether the subject is included by name, whatever the checks find.
    """

    modalities: list[str]
    labels: str
    spacing_mm: float
    crop: str | list[list[int]]
    normalization: str
    missing: str
    min_tumor_percent: float
    forced: bool


def preprocess_scan(
    subject: str,
    images: dict[str, tuple[Path, int]],
    mask: tuple[Path, int] | None,
    settings: PreprocessSettings,
    registered: dict | None = None,
) -> tuple[ScanFacts, dict[str, np.ndarray]]:
    """Preprocess a scan: return its facts (`scan.json`) and its arrays.

    images, mask: file, and index of the volume in it; registered: register.json, if the files are registered. The
    arrays are image (X, Y, Z, C) float16 and, with a mask, mask (X, Y, Z) uint8 class indices. A scan that cannot be
    used has the verdict "excluded", a reason, and no arrays. Raises ValueError for an unknown normalization, label
    dialect, or choice for missing modalities.
    """
    choose("normalization", settings["normalization"], NORMALIZATIONS)
    choose("missing", settings["missing"], MISSING)
    files = {name: images[name] for name in settings["modalities"] if name in images}
    tolerated = {"missing"} if settings["missing"] == "zeros" else set()
    if settings["forced"]:
        tolerated = set(CHECKS) - NEEDED
    findings = Findings(tolerated if files else tolerated - {"missing"})
    for check, sentences in said_by_register(registered).items():
        for sentence in sentences:
            findings.add(check, sentence)
    if mask:
        choose("labels", settings["labels"], labels.DIALECTS)
        files[MASK] = mask
    scan = {
        "subject": subject,
        "verdict": "",
        "reason": "",
        "findings": [],
        "modalities": list(settings["modalities"]),
        "missing_modalities": [name for name in settings["modalities"] if name not in images],
        "labels": settings["labels"],
        "has_mask": mask is not None,
        "hashes": {},
    }
    arrays = {}
    # A series that was refused has no file.
    found = None if findings.excluded else read_scan(files, settings, findings)
    if found is not None:
        grid = lay_out(found, settings)
        scan |= _scan_facts(found, grid, settings)
        _look(found, grid, scan, settings, findings)
        if not findings.excluded:
            facts, image = _image(found, grid, settings, findings)
        if not findings.excluded:
            scan |= facts
            arrays["image"] = image
            if found.classes is not None:
                mask = np.ascontiguousarray(cut(found.classes, grid.crop))
                arrays["mask"] = resample(mask, grid.spacing, grid.target, grid.size, nearest=True)
    reason = "; ".join(finding["sentence"] for finding in findings.found)
    scan |= {"verdict": findings.verdict, "reason": reason, "findings": findings.found}
    return scan, arrays


def said_by_register(registered: dict | None) -> dict[str, list[str]]:
    """What register.json says of a subject's series, by check."""
    if registered is None:
        return {}
    return {"refused": list(registered["refused"].values()), "registration": registered["warnings"]}


def _look(found: Volumes, grid: Grid, facts: ScanFacts, settings: PreprocessSettings, findings: Findings) -> None:
    """Run the checks of the volumes. Those that exclude run first; if one of them does, the others are skipped."""
    findings.add("shape", unfit(grid))
    if found.labelled:
        classes, brain = (cut(array, found.labelled) for array in (found.classes, grid.brain))
        findings.add("mask_outside", checks.mask_outside(classes, brain))
    if found.classes is not None:
        findings.add("tumor_share", checks.tumor_share(facts["tumor_percent"], settings["min_tumor_percent"]))
    if not findings.excluded:
        findings.add("far_spacing", plausibility.far_spacing(grid.spacing, settings["spacing_mm"]))
        findings.add(
            "not_skull_stripped", plausibility.not_skull_stripped(found.images, grid.backgrounds, grid.spacing)
        )
        findings.add("partly_covered", coverage.partly_covered(found.images, grid.backgrounds, grid.brain))
        findings.add("flipped", plausibility.flipped(found.images, grid.brain, found.classes))
        findings.add("swapped", plausibility.swapped(found.images, grid.brain, found.classes))


def _scan_facts(found: Volumes, grid: Grid, settings: PreprocessSettings) -> dict:
    """The facts in `scan.json` about the grid and, if there is a mask, about the tumor (all classes of WT)."""
    facts = {
        "shape": list(grid.brain.shape),
        "affine": found.affine.tolist(),
        "spacing_mm": list(grid.spacing),
        "target_spacing_mm": list(grid.target),
        "crop": [list(edge) for edge in grid.crop],
        "array_shape": [*grid.size, len(settings["modalities"])],
        "own": found.own,
        "brain_voxels": int(np.count_nonzero(grid.brain)),
    }
    if found.classes is None:
        return facts
    labelled = found.labelled or ((0, 0),) * 3
    voxels = _count(cut(found.classes, labelled))
    kept = _count(cut(found.classes, overlap(labelled, grid.crop)))
    tumor, tumor_kept = (sum(count[name] for name in labels.REGIONS["WT"]) for count in (voxels, kept))
    size_ml = voxel_ml(grid.spacing)
    return facts | {
        "classes": {name: voxels[name] for name in labels.classes_of([settings["labels"]]) if name != "background"},
        "tumor_voxels": tumor,
        "tumor_ml": tumor * size_ml,
        "enhancing_ml": sum(voxels[name] for name in labels.REGIONS["ET"]) * size_ml,
        "tumor_voxels_lost": tumor - tumor_kept,
        "tumor_percent": 100 * tumor_kept / max(math.prod(lengths(grid.crop)), 1),
    }


def _count(classes: np.ndarray) -> dict[str, int]:
    return dict(zip(labels.CLASSES, np.bincount(classes.ravel(), minlength=len(labels.CLASSES)).tolist(), strict=True))


def _image(found: Volumes, grid: Grid, settings: PreprocessSettings, findings: Findings) -> tuple[dict, np.ndarray]:
    """The facts about each modality's voxels, and the image (X, Y, Z, C) float16, with zeros for a missing modality.

    Runs the checks of the voxels that were hashed and normalized.
    """
    image = np.zeros((*grid.size, len(settings["modalities"])), np.float16)
    normalize = NORMALIZATIONS[settings["normalization"]]
    # All modalities share two arrays, since allocating memory would take longer than the work done in it. If the image
    # is resampled, it stays float32 until then.
    volume = np.empty(lengths(grid.work), np.float32)
    whole = np.empty_like(volume, np.float16 if grid.size == lengths(grid.crop) else np.float32)
    head = thin(cut(grid.brain, grid.work))
    known, hashes = {}, {}
    for channel, name in enumerate(settings["modalities"]):
        if name not in found.images:
            continue
        copy_rows(cut(found.images[name], grid.work), volume)
        brain = brain_mask(volume, grid.backgrounds[name])
        values = volume[brain]
        statistics = intensities(values)
        known[name] = {"background": grid.backgrounds[name], **statistics}
        hashes[name] = _hash(values, lengths(grid.boxes[name]))
        normalized = normalize(volume, values, statistics)
        deviation = 0.0
        if normalized.ndim == 1:
            deviation = _deviation(normalized)
            whole.fill(0)
            whole[brain] = normalized.astype(whole.dtype)
            normalized = whole
        findings.add("no_contrast", content.no_contrast(name, thin(normalized)[head], deviation, statistics))
        part = cut(normalized, relative(grid.crop, grid.work))
        image[..., channel] = resample(part, grid.spacing, grid.target, grid.size)
    findings.add("same_image", content.same_voxels(hashes))
    return {"intensities": known, "hashes": hashes}, image


def _deviation(values: np.ndarray) -> float:
    """Standard deviation of values (float32, 1-D), to a few digits; unlike np.std, it makes no copy."""
    if not values.size:
        return 0.0
    return math.sqrt(max(float(np.dot(values, values)) / values.size - float(values.mean()) ** 2, 0))


def _hash(values: np.ndarray, lengths: tuple[int, int, int]) -> str:
    """Hash a brain's voxels (float32, 1-D) and box; the file's name, data type and axis order do not matter."""
    digest = hashlib.sha256(str(lengths).encode())
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int16)
    # Most scans hold small integers, which need half the bytes as int16. Adding 0 turns -0.0 into 0.0.
    digest.update(whole if np.array_equal(whole, values) else values + np.float32(0))
    return digest.hexdigest()


def copy_rows(volume: np.ndarray, rows: np.ndarray) -> None:
    """Copy a volume (3-D, first axis contiguous, as in a file) into an array (last axis contiguous, as saved)."""
    # Copy in slabs, so that what is read and what is written stay in the cache.
    for start in range(0, volume.shape[1], 8):
        rows[:, start : start + 8] = volume[:, start : start + 8]
