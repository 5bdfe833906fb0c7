"""One subject's way from files to arrays: read, check, relabel, normalize, crop, resample, stack."""

from pathlib import Path

import numpy as np

from glioseg import checks, labels, volumes
from glioseg.layouts import MASK
from glioseg.normalize import NORMALIZATIONS


def preprocess_scan(
    subject: str, images: dict[str, Path], mask: Path | None, settings: dict
) -> tuple[dict, dict[str, np.ndarray]]:
    """What is known of a scan (`scan.json`) and its arrays: image (X, Y, Z, C) float16, mask (X, Y, Z) uint8 classes.

    A scan that can't be used has the verdict "excluded", a reason, and no arrays. Without a mask only the image.
    settings: modalities (channel order), labels (dialect), spacing_mm, crop ("brain" or three voxel ranges),
    normalization, min_tumor_percent. Raises ValueError for a setting by an unknown name.
    """
    if settings["normalization"] not in NORMALIZATIONS:
        raise ValueError(
            f"normalization: {settings['normalization']!r} is not known; known are {', '.join(NORMALIZATIONS)}"
        )
    files = {**images, **({MASK: mask} if mask else {})}
    scan = {
        "subject": subject,
        "verdict": "taken",
        "reason": "",
        "modalities": list(settings["modalities"]),
        "files": {name: str(path) for name, path in files.items()},
        "has_mask": mask is not None,
    }
    try:
        read = _read(files, list(settings["modalities"]))
        classes = labels.to_classes(read[MASK][0], settings["labels"]) if mask else None
    except ValueError as error:
        return {**scan, "verdict": "excluded", "reason": str(error)}, {}
    facts, arrays = _arrays({name: read[name] for name in settings["modalities"]}, classes, settings)
    scan |= facts
    if mask and scan["tumor_percent"] < settings["min_tumor_percent"]:
        scan |= {
            "verdict": "excluded",
            "reason": f"{scan['tumor_percent']:.2f} % of the crop is tumor; expected at least "
            f"{settings['min_tumor_percent']:g} % (preprocess: min_tumor_percent)",
        }
        arrays = {}
    return scan, arrays


def _read(files: dict[str, Path], modalities: list[str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Voxels and affine of each file. Raises ValueError with the first sentence that excludes the scan."""

    def insist(sentence):
        if sentence:
            raise ValueError(sentence)

    insist(checks.missing(modalities, [name for name in files if name != MASK]))
    read = {name: volumes.read_volume(path) for name, path in files.items()}
    insist(checks.shapes({name: volume.shape for name, (volume, _) in read.items()}))
    for name, (volume, affine) in read.items():
        insist(checks.geometry(name, affine))
        insist(checks.finite(name, volume))
        if name != MASK:
            insist(checks.constant(name, volume))
    insist(checks.affines({name: affine for name, (_, affine) in read.items()}))
    return read


def _arrays(read: dict, classes: np.ndarray | None, settings: dict) -> tuple[dict, dict[str, np.ndarray]]:
    (first, affine), *_ = read.values()
    backgrounds = {name: volumes.background_value(volume) for name, (volume, _) in read.items()}
    brains = {name: volumes.brain_mask(volume, backgrounds[name]) for name, (volume, _) in read.items()}
    brain = np.any(list(brains.values()), axis=0)
    crop = settings["crop"]
    if crop == "brain":
        # A tumor mask may reach past the brain by a voxel; a crop to the brain must not cut it.
        box = volumes.bounding_box(brain if classes is None else brain | (classes > 0))
    else:
        box = tuple((max(low, 0), min(high, size)) for (low, high), size in zip(crop, first.shape, strict=True))
    spacing = volumes.spacing_mm(affine)
    target = (settings["spacing_mm"],) * 3
    cropped = tuple(high - low for low, high in box)
    shape = volumes.resampled_shape(cropped, spacing, target)

    channels, intensities = [], {}
    for name, (volume, _) in read.items():
        inside = volume[brains[name]].astype(np.float64)
        intensities[name] = {
            "background": backgrounds[name],
            "minimum": float(inside.min()),
            "maximum": float(inside.max()),
            "mean": float(inside.mean()),
            "std": float(inside.std()),
        }
        normalized = NORMALIZATIONS[settings["normalization"]](volume, brains[name])
        channels.append(volumes.resample(volumes.cut(normalized, box), spacing, target, shape).astype(np.float16))
    arrays = {"image": np.stack(channels, axis=-1)}
    voxel_ml = float(np.prod(spacing)) / 1000
    facts = {
        "shape": list(first.shape),
        "affine": affine.tolist(),
        "spacing_mm": list(spacing),
        "target_spacing_mm": list(target),
        "crop": [list(edge) for edge in box],
        "array_shape": list(arrays["image"].shape),
        "brain_voxels": int(brain.sum()),
        "intensities": intensities,
    }
    if classes is not None:
        inside = volumes.cut(classes, box)
        counts = np.bincount(classes.ravel(), minlength=len(labels.CLASSES))
        tumor, kept = int(counts[1:].sum()), int((inside > 0).sum())
        arrays["mask"] = volumes.resample(inside, spacing, target, shape, nearest=True)
        facts |= {
            "classes": {name: int(counts[i]) for i, name in enumerate(labels.CLASSES) if i},
            "tumor_voxels": tumor,
            "tumor_ml": tumor * voxel_ml,
            "enhancing_ml": int(labels.region(classes, "ET").sum()) * voxel_ml,
            "tumor_voxels_lost": tumor - kept,
            "tumor_percent": 100 * kept / inside.size,
        }
    return facts, arrays


def restore_classes(probabilities: np.ndarray, scan: dict) -> np.ndarray:
    """Class indices (uint8) on the scan's own grid: probabilities (X, Y, Z, classes) of the preprocessed image brought
    to the scan's spacing, decided there, and put back where the crop was; background outside of it."""
    box = scan["crop"]
    shape = tuple(high - low for low, high in box)
    channels = [
        volumes.resample(channel, scan["target_spacing_mm"], scan["spacing_mm"], shape)
        for channel in np.moveaxis(probabilities, -1, 0)
    ]
    classes = np.zeros(scan["shape"], np.uint8)
    volumes.cut(classes, box)[...] = np.argmax(channels, axis=0)
    return classes
