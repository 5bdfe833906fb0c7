"""Label maps as DICOM segmentation objects, which viewers show on the series that they belong to.

pydicom and highdicom are imported inside of the functions, since they take long to load and few commands need them.
"""

import hashlib
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glioseg.colors import TISSUES, rgb
from glioseg.files import whole
from glioseg.labels import CLASSES, classes_of, to_classes
from glioseg.volumes.readers import series_files

# What segments show: "Segmentation Property Categories" (CID 7150) and "Lesion Segmentation Types" (CID 7159) of DICOM
# PS3.16. SNOMED has no code there for tissue that enhances.
_CATEGORY = ("49755003", "SCT", "Morphologically Abnormal Structure")
_TYPES = {
    "necrosis": ("6574001", "SCT", "Necrosis"),
    "edema": ("79654002", "SCT", "Edema"),
    "enhancing": ("C113842", "NCIt", "Enhancing Lesion"),
    "cavity": ("52988006", "SCT", "Lesion"),
    "cyst": ("367643001", "SCT", "Cyst"),
}
_REGION = ("12738006", "SCT", "Brain")
_LEARNED = ("123110", "DCM", "Artificial Intelligence")
NAMES = {
    "necrosis": "Necrosis and core without enhancement",
    "edema": "Edema",
    "enhancing": "Enhancing tumor",
    "cavity": "Resection cavity",
    "cyst": "Cyst",
}
# Tags that a segmentation repeats. A series may lack them, as some programs remove tags instead of emptying them.
_REPEATED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime"
)  # fmt: skip
# Series of results come after those of the scanner.
_AFTER = 1000


def write_segmentation_object(
    path: Path, labels: np.ndarray, dialect: str, series: Path, made_by: Mapping[str, object]
) -> None:
    """Write a label map (3-D, in the values of a dialect) as a DICOM segmentation of the series in a folder.

    labels: on the grid of the series, as `readers` reads it. Each tissue of the dialect but the background is a binary
    segment, also one that is absent. made_by: the version of the software, and "models", the SHA-256 of each model.
    Equal segmentations of one series have equal UIDs. Raises ValueError, naming the folder, for a series that no
    segmentation can refer to.
    """
    import pydicom

    classes = to_classes(labels, dialect)
    sources = [pydicom.dcmread(file, stop_before_pixels=True) for file in series_files(series)]
    frames = int(sources[0].get("NumberOfFrames", 1)) if len(sources) == 1 else len(sources)
    expected = (int(sources[0].Columns), int(sources[0].Rows), frames)
    if classes.shape != expected:
        raise ValueError(f"{series} has slices of another shape than its label map: {expected}, {classes.shape}")
    # Warnings of pydicom and highdicom quote values, such as the name of a patient, which no log may show.
    with warnings.catch_warnings(action="ignore"):
        try:
            _prepare(sources)
            # The pixels of a DICOM image lie in rows, and those of a label map in columns.
            found = _segmentation(sources, np.ascontiguousarray(classes.transpose(2, 1, 0)), dialect, made_by)
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # of highdicom, for tags that are missing
            words = _without_values(str(error), sources[0])
            # Not from the error, whose words a traceback would show.
            raise ValueError(
                f"{series} can have no DICOM segmentation ({words}); use the NIfTI file beside it"
            ) from None
        with whole(path) as partial:
            found.save_as(partial)


def _prepare(sources: list) -> None:
    """Add the tags of slices that a segmentation repeats where they are missing, and mend the distance of the slices.

    Viewers place the slices of a segmentation by that distance. Some programs write 1 mm for any, or a gap.
    """
    for source in sources:
        for name in _REPEATED:
            if name not in source:
                setattr(source, name, None)
    if len(sources) > 1:
        first, last = (np.array(source.ImagePositionPatient, float) for source in (sources[0], sources[-1]))
        distance = float(np.linalg.norm(last - first)) / (len(sources) - 1)
        for source in sources:
            source.SpacingBetweenSlices = round(distance, 6)


def _without_values(words: str, source) -> str:
    """The words with the values of the tags of a patient and a study replaced by the names of the tags."""
    for name in _REPEATED:
        if value := str(source.get(name) or ""):
            words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", name, words)
    return words


def _segmentation(sources: list, classes: np.ndarray, dialect: str, made_by: Mapping[str, object]):
    """The segmentation of highdicom. classes: class indices (slices, rows, columns)."""
    import highdicom
    from pydicom.uid import generate_uid

    tissues = classes_of([dialect])[1:]
    # The number of the segment of each class.
    numbers = [tissues.index(name) + 1 if name in tissues else 0 for name in CLASSES]
    segments = np.array(numbers, np.uint8)[classes]
    version, models = str(made_by["version"]), list(made_by["models"])
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="glioseg",
        version=version,
        family=_code(_LEARNED),
        parameters={f"model {number}": f"SHA-256 {model}" for number, model in enumerate(models, 1)},
    )
    digest = hashlib.sha256(segments.tobytes()).hexdigest()
    content = [sources[0].SeriesInstanceUID, digest, dialect, version, *models]
    return highdicom.seg.Segmentation(
        sources,
        segments,
        highdicom.seg.SegmentationTypeValues.BINARY,
        [_described(number, name, algorithm) for number, name in enumerate(tissues, 1)],
        series_instance_uid=generate_uid(entropy_srcs=["series", *content]),
        series_number=_AFTER + int(sources[0].get("SeriesNumber") or 0),
        sop_instance_uid=generate_uid(entropy_srcs=["object", *content]),
        instance_number=1,
        manufacturer="glioseg",
        manufacturer_model_name="glioseg",
        software_versions=version,
        device_serial_number="none",
        # An object needs a frame at least.
        omit_empty_frames=bool(segments.any()),
        content_label="TUMOR",
        content_description="Tumor, segmented by glioseg",
        series_description="Tumor, segmented by glioseg",
    )


def _described(number: int, tissue: str, algorithm):
    """The description of a segment."""
    import highdicom

    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=NAMES[tissue],
        segmented_property_category=_code(_CATEGORY),
        segmented_property_type=_code(_TYPES[tissue]),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
        anatomic_regions=[_code(_REGION)],
        display_color=highdicom.color.CIELabColor.from_rgb(*rgb(TISSUES[tissue])),
    )


def _code(words: tuple[str, str, str]):
    """A code of DICOM from its value, its scheme and its meaning."""
    import highdicom

    return highdicom.sr.CodedConcept(*words)
