"""DICOM series of a phantom, written with pydicom."""

from pathlib import Path

import numpy as np
import pytest

PATIENT = "DOE^JANE"


def write_series(folder: Path, voxels: np.ndarray, affine: np.ndarray, description: str, **tags) -> Path:
    """Write a volume (3-D, not negative) as the slices of one series of MR images across its last axis.

    tags: those that differ from a plain series, by their keywords in DICOM. Skips the test without pydicom.
    """
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed: it writes the DICOM files of this test")
    folder.mkdir(parents=True)
    series = tags.pop("SeriesInstanceUID", pydicom.uid.generate_uid())
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    # The world of DICOM points to the left and back.
    flipped = np.diag([-1.0, -1, 1, 1]) @ affine
    for number in range(voxels.shape[2]):
        meta = pydicom.dataset.FileMetaDataset()
        meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = tags.get("SOPClassUID", pydicom.uid.MRImageStorage)
        meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        one = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        one.SOPClassUID, one.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
        one.PatientName, one.PatientID, one.PatientBirthDate = PATIENT, "4711", "19500101"
        one.StudyInstanceUID, one.SeriesInstanceUID = tags.get("StudyInstanceUID", "1.2.3.4"), series
        one.StudyDate, one.Modality, one.SeriesDescription = "20240102", "MR", description
        one.ImageType, one.InstanceNumber = ["ORIGINAL", "PRIMARY"], number + 1
        one.ImageOrientationPatient = [round(x, 8) for x in (*flipped[:3, 0] / sizes[0], *flipped[:3, 1] / sizes[1])]
        one.ImagePositionPatient = [round(x, 6) for x in flipped[:3, 2] * number + flipped[:3, 3]]
        one.PixelSpacing, one.SliceThickness = [float(sizes[1]), float(sizes[0])], float(sizes[2])
        one.Columns, one.Rows = voxels.shape[:2]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
        one.PixelData = voxels[:, :, number].T.astype("<u2").tobytes()
        for keyword, value in tags.items():
            setattr(one, keyword, value)
        one.save_as(folder / f"IM{number:04d}", enforce_file_format=True)
    return folder
