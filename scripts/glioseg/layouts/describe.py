"""A description of a source, with an estimate of the disk space that its preprocessed subjects need."""

from collections import Counter

import numpy as np

from glioseg.labels import DIALECTS, MASK
from glioseg.layouts.find_subjects import Source
from glioseg.layouts.folders import SubjectFiles
from glioseg.layouts.modalities import MODALITIES
from glioseg.volumes import orientation
from glioseg.volumes.boxes import bounding_box
from glioseg.volumes.brain import background_value, brain_mask
from glioseg.volumes.nifti import take_volumes
from glioseg.volumes.resample import resampled_shape

LISTED = 10  # the most subjects or notes that are listed; the others are counted
MEASURED = 12  # the most subjects whose brain is measured; this gives the mean box to about 3 %
SCAN_JSON_BYTES = 4000
UNKNOWN = {"auto": f"not recognized, so set labels to one of {', '.join(DIALECTS)}:"}
NO_IMAGE = f"none; expected an image of {', '.join(MODALITIES[:-1])} or {MODALITIES[-1]} for each subject"


def describe_source(source: dict, found: Source, modalities: list[str], spacing_mm: float) -> str:
    """Describe a source, line by line: layout, labels, subjects, files by modality, missing files, notes, disk space.

    modalities: the wanted ones; others that are found are counted too. spacing_mm: of the preprocessed arrays.
    """
    subjects = found.subjects
    files = Counter(name for subject in subjects.values() for name in subject.files)
    covariates = Counter(name for subject in subjects.values() for name in subject.covariates)
    names = [*modalities, *sorted(set(files) - {MASK, *modalities})]
    lines = [
        ("layout", found.layout),
        ("labels", _counts(Counter(UNKNOWN.get(subject.labels, subject.labels) for subject in subjects.values()))),
        ("subjects", str(len(subjects))),
        ("modalities", ", ".join(f"{name} {files[name]}" for name in names) or NO_IMAGE),
        ("masks", str(files[MASK])),
        ("covariates", _counts(covariates)),
        ("missing", _missing(subjects, modalities)),
        *(("note", note) for note in _first(found.notes)),
        ("disk", _disk(subjects, modalities, spacing_mm)),
    ]
    return "\n".join([str(source["folder"]), *(f"  {title:<11}{text}" for title, text in lines if text)])


def forecast_bytes(subjects: dict[str, SubjectFiles], modalities: list[str], spacing_mm: float) -> tuple[float, int]:
    """Bytes that the subjects need once preprocessed with `crop: brain`, and how many subjects were measured.

    Only subjects with all modalities count. Each needs float16 per modality and uint8 for the mask, in the box around
    the brain at spacing_mm. The mean size of this box comes from up to `MEASURED` subjects, evenly spread over the
    names. Returns (nan, 0) if none of these can be read, or if there are no modalities.
    """
    if not modalities:
        return float("nan"), 0
    complete = [name for name, subject in subjects.items() if set(modalities) <= set(subject.files)]
    step = max(1, len(complete) / MEASURED)
    sizes = []
    for name in [complete[int(step * index)] for index in range(min(MEASURED, len(complete)))]:
        try:
            sizes.append(_box_voxels(subjects[name], modalities, spacing_mm))
        except ValueError:
            continue  # preprocessing will report what is wrong with it
    if not sizes:
        return float("nan"), 0
    masks = sum(MASK in subjects[name].files for name in complete)
    per_voxel = 2 * len(modalities) * len(complete) + masks
    return float(np.mean(sizes)) * per_voxel + SCAN_JSON_BYTES * len(complete), len(sizes)


def _box_voxels(subject: SubjectFiles, modalities: list[str], spacing_mm: float) -> int:
    """Voxels, after resampling, of the box around the brain. Raises ValueError if a file cannot be read."""
    read = take_volumes({name: subject.files[name] for name in modalities})
    boxes = [bounding_box(brain_mask(part, background_value(part))) for part, _ in read.values()]
    affine = read[modalities[-1]][1]
    edges = np.array(boxes)
    shape = edges[:, :, 1].max(axis=0) - edges[:, :, 0].min(axis=0)
    return int(np.prod(resampled_shape(shape, orientation.spacing_mm(affine), (spacing_mm,) * 3)))


def _disk(subjects: dict[str, SubjectFiles], modalities: list[str], spacing_mm: float) -> str:
    size, measured = forecast_bytes(subjects, modalities, spacing_mm)
    if not measured:
        return "no estimate: no subject with all modalities could be read"
    unit, name = (1e9, "GB") if size >= 1e9 else (1e6, "MB")
    return (
        f"{size / unit:.3g} {name} for the arrays of all subjects without missing modalities "
        f"(estimated from {measured} of them; crop: brain, {spacing_mm:g} mm)"
    )


def _missing(subjects: dict[str, SubjectFiles], modalities: list[str]) -> str:
    lacking = {
        name: [modality for modality in modalities if modality not in subject.files]
        for name, subject in subjects.items()
    }
    sentences = [f"{name} ({', '.join(absent)})" for name, absent in lacking.items() if absent]
    return ", ".join(_first(sentences))


def _first(sentences: list[str]) -> list[str]:
    rest = len(sentences) - LISTED
    return sentences[:LISTED] + ([f"and {rest} more"] if rest > 0 else [])


def _counts(counter: Counter) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items()))
