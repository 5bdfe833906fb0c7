"""Label maps come back from DICOM segmentation objects voxel for voxel, at their place."""

import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicoms import PATIENT, write_series

from glioseg.labels import CLASSES, DIALECTS, classes_of, to_classes
from glioseg.volumes.dicom_segmentation import NAMES, write_segmentation_object
from glioseg.volumes.nifti import open_nifti, take_volume
from glioseg.volumes.orientation import rotation

pydicom = pytest.importorskip("pydicom")
highdicom = pytest.importorskip("highdicom")
MADE_BY = {"version": "1.2.3 (abc)", "models": ["a" * 64, "b" * 64]}
FRAME = {"FrameOfReferenceUID": "1.2.3.9"}
# Tags that a scanner writes, without which no enhanced image can be made.
OF_ENHANCED = dict.fromkeys(("AccessionNumber", "StudyID", "PatientSex", "StudyTime", "ReferringPhysicianName"), "")
OF_ENHANCED |= {"SeriesNumber": 3, "MagneticFieldStrength": 3, "ResonantNucleus": "1H", "Manufacturer": "A"}
OF_ENHANCED |= {"PositionReferenceIndicator": "", "PatientPosition": "HFS", "ContentQualification": "RESEARCH"}
OF_ENHANCED |= {f"{name}Date": "20240102" for name in ("Content", "Acquisition")}
OF_ENHANCED |= {f"{name}Time": "101010" for name in ("Content", "Acquisition")}
SHAPE = (20, 26, 14)


def affine_of(sizes, angles=(0, 0, 0), axes=(0, 1, 2)):
    affine = np.eye(4)
    affine[:3, :3] = (np.diag([-1.0, -1, 1]) @ rotation(np.radians(angles)) * sizes)[:, axes]
    affine[:3, 3] = (31.5, 40.25, -12)
    return affine


GEOMETRIES = {
    "thin": affine_of((1.0, 1, 1)),
    "thick and oblique": affine_of((0.9, 0.8, 5.5), (12, -7, 20)),
    "sagittal": affine_of((1.2, 1.0, 4.0), (3, 2, 1), (1, 2, 0)),
    "from the top": affine_of((1.0, 1, -3)),
}


def labels_in(dialect, shape=SHAPE, absent=()):
    """Random blocks of every value of a dialect that `to_values` writes, but for some tissues."""
    random = np.random.default_rng(4)
    seen = {name: value for value, name in reversed(DIALECTS[dialect].items()) if name not in absent}
    return random.choice(np.array(list(seen.values()), np.uint8), shape)


def read_back(path):
    """Segment numbers as a volume of highdicom, and the object, read from the file."""
    found = highdicom.seg.segread(path)
    return found.get_volume(combine_segments=True), found


def voxels_at(places, world, affine):
    """The voxels (3, N) of a grid at voxels (N, 3) of another one; fails unless each lies on a voxel."""
    there = nib.affines.apply_affine(np.linalg.inv(affine) @ world, places)
    index = np.rint(there).astype(int)
    assert np.abs(there - index).max(initial=0) < 0.01
    return index.T


def insist_on_same(path, labels, affine):
    """Fail unless each voxel of a label map (brats2020) is found at its place in the world; return the object."""
    volume, found = read_back(path)
    # A reader may choose the order of axes.
    places = np.indices(volume.array.shape).reshape(3, -1).T
    index = voxels_at(places, np.diag([-1.0, -1, 1, 1]) @ volume.affine, affine)
    numbers = np.array([0, 1, 2, 3])[to_classes(labels, "brats2020")]
    inside = np.zeros(numbers.shape, bool)
    inside[tuple(index)] = True
    assert np.array_equal(volume.array.reshape(-1), numbers[tuple(index)])
    # Slices without tumor at both ends may be missing, and nothing else.
    assert not numbers[~inside].any()
    return found


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("absent", [(), ("necrosis",), ("edema", "enhancing")])
def test_each_voxel_comes_back_at_its_place(geometry, absent, tmp_path):
    image = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.uint16)
    series = write_series(tmp_path / "series", image, GEOMETRIES[geometry], "t1", SpacingBetweenSlices=1, **FRAME)
    voxels, affine = take_volume(open_nifti(series), 0)
    labels = labels_in("brats2020", voxels.shape, absent)
    write_segmentation_object(tmp_path / "t1.dcm", labels, "brats2020", series, MADE_BY)
    found = insist_on_same(tmp_path / "t1.dcm", labels, affine)
    assert len(found.SegmentSequence) == 3
    # Viewers place the slices by this distance, whatever the series says.
    (measures,) = found.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.SpacingBetweenSlices == pytest.approx(np.linalg.norm(affine[:3, 2]), abs=1e-5)
    # The object refers to the slices of its series.
    known = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in series.iterdir()}
    (referred,) = found.ReferencedSeriesSequence
    assert {one.ReferencedSOPInstanceUID for one in referred.ReferencedInstanceSequence} == known


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_reader_of_slicer_finds_each_voxel(geometry, tmp_path):
    series = write_series(
        tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES[geometry], "t1", SpacingBetweenSlices=1, **FRAME
    )
    voxels, affine = take_volume(open_nifti(series), 0)
    labels = labels_in("brats2020", voxels.shape, ("edema",))
    write_segmentation_object(tmp_path / "t1.dcm", labels, "brats2020", series, MADE_BY)
    (tmp_path / "read").mkdir()
    # The program that comes with the package dcmqi, whose code opens DICOM segmentations in 3D Slicer.
    program = Path(sys.executable).with_name("segimage2itkimage")
    words = ["--inputDICOM", tmp_path / "t1.dcm", "--outputDirectory", tmp_path / "read", "--outputType", "nifti"]
    subprocess.run([program, *words], check=True, capture_output=True)
    found = np.zeros(labels.shape, np.uint8)
    for segment, value in enumerate((1, 2, 4), 1):
        image = nib.load(tmp_path / f"read/{segment}.nii.gz")
        found[tuple(voxels_at(np.argwhere(np.asarray(image.dataobj)), image.affine, affine))] = value
    assert np.array_equal(found, labels)


def test_an_enhanced_series_in_one_file_is_referred_to(tmp_path):
    image = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(np.uint16)
    one = write_series(tmp_path / "slices", image, GEOMETRIES["thick and oblique"], "t1", **FRAME, **OF_ENHANCED)
    uids = [pydicom.uid.generate_uid() for _ in range(2)]
    slices = [pydicom.dcmread(path) for path in one.iterdir()]
    (tmp_path / "series").mkdir()
    highdicom.legacy.LegacyConvertedEnhancedMRImage(slices, uids[0], 1, uids[1], 1).save_as(tmp_path / "series/a.dcm")
    voxels, affine = take_volume(open_nifti(tmp_path / "series"), 0)
    labels = labels_in("brats2020", voxels.shape)
    write_segmentation_object(tmp_path / "t1.dcm", labels, "brats2020", tmp_path / "series", MADE_BY)
    found = insist_on_same(tmp_path / "t1.dcm", labels, affine)
    assert found.ReferencedSeriesSequence[0].SeriesInstanceUID == uids[0]


def test_a_scan_without_tumor_has_an_object_too(tmp_path):
    series = write_series(tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES["thin"], "t1", **FRAME)
    write_segmentation_object(tmp_path / "t1.dcm", np.zeros(SHAPE, np.uint8), "brats2020", series, MADE_BY)
    assert not read_back(tmp_path / "t1.dcm")[0].array.any()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_segments_say_what_they_show_and_who_found_them(dialect, tmp_path):
    series = write_series(tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES["thin"], "t1", **FRAME)
    write_segmentation_object(tmp_path / "t1.dcm", labels_in(dialect), dialect, series, MADE_BY)
    found = read_back(tmp_path / "t1.dcm")[1]
    tissues = classes_of([dialect])[1:]
    assert [one.SegmentLabel for one in found.SegmentSequence] == [NAMES[name] for name in tissues]
    codes = {one.SegmentLabel: one.SegmentedPropertyTypeCodeSequence[0] for one in found.SegmentSequence}
    assert (codes[NAMES["edema"]].CodeValue, codes[NAMES["edema"]].CodingSchemeDesignator) == ("79654002", "SCT")
    assert codes[NAMES["necrosis"]].CodeValue == "6574001" and codes[NAMES["enhancing"]].CodeValue == "C113842"
    for one in found.SegmentSequence:
        (algorithm,) = one.SegmentationAlgorithmIdentificationSequence
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("glioseg", "1.2.3 (abc)")
        assert "b" * 64 in algorithm.AlgorithmParameters and one.SegmentAlgorithmType == "AUTOMATIC"
    assert set(NAMES) == set(CLASSES[1:])


def test_it_repeats_the_patient_of_its_series_and_equal_content_has_equal_uids(tmp_path):
    series = write_series(tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES["thin"], "t1", **FRAME)
    labels = labels_in("brats2020")
    for name in ("one", "two"):
        write_segmentation_object(tmp_path / f"{name}.dcm", labels, "brats2020", series, MADE_BY)
    write_segmentation_object(tmp_path / "other.dcm", np.flip(labels), "brats2020", series, MADE_BY)
    one, two, other = (pydicom.dcmread(tmp_path / f"{name}.dcm") for name in ("one", "two", "other"))
    source = pydicom.dcmread(next(series.iterdir()))
    assert one.PatientName == PATIENT and one.StudyInstanceUID == source.StudyInstanceUID
    assert one.SOPInstanceUID == two.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID == two.SeriesInstanceUID != other.SeriesInstanceUID
    # No tag of the patient or the study that the series does not have.
    groups = [element.keyword for element in one if element.tag.group == 0x10 and element.value]
    assert all(getattr(one, name) == getattr(source, name) for name in groups)


def test_a_series_without_the_needed_tags_is_named(tmp_path):
    series = write_series(tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES["thin"], "t1")
    with pytest.raises(ValueError, match=r"series can have no DICOM segmentation \(.*Frame Of Reference.*; use the"):
        write_segmentation_object(tmp_path / "t1.dcm", labels_in("brats2020"), "brats2020", series, MADE_BY)
    other = write_series(tmp_path / "other", np.ones((8, 9, 10), np.uint16), GEOMETRIES["thin"], "t1", **FRAME)
    with pytest.raises(ValueError, match="slices of another shape than its label map"):
        write_segmentation_object(tmp_path / "t1.dcm", labels_in("brats2020"), "brats2020", other, MADE_BY)
    assert not (tmp_path / "t1.dcm").exists()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tags", [{"PatientName": "JANEDOE"}, {"PatientBirthDate": "19.01.1950"}, {"PatientSex": "W"}])
def test_nothing_printed_names_the_patient(tags, tmp_path, capfd):
    with warnings.catch_warnings(action="ignore"):  # of pydicom, which writes what no standard allows
        series = write_series(tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES["thin"], "t1", **FRAME, **tags)
    try:
        write_segmentation_object(tmp_path / "t1.dcm", labels_in("brats2020"), "brats2020", series, MADE_BY)
        words = ""
    except ValueError as error:
        words = "".join(traceback.format_exception(error)).split("ValueError: ")[-1]
        assert "use the NIfTI file" in words and next(iter(tags)) in words
    printed = "".join(capfd.readouterr())
    assert not any(value in words + printed for value in tags.values() if len(value) > 1) and "'W'" not in words


def test_a_series_without_positions_is_named(tmp_path):
    series = write_series(tmp_path / "series", np.ones(SHAPE, np.uint16), GEOMETRIES["thin"], "t1", **FRAME)
    for file in series.iterdir():
        one = pydicom.dcmread(file)
        del one.ImagePositionPatient
        one.save_as(file)
    with pytest.raises(ValueError, match=r"can have no DICOM segmentation \(.*ImagePositionPatient.*\); use the NIfTI"):
        write_segmentation_object(tmp_path / "t1.dcm", labels_in("brats2020"), "brats2020", series, MADE_BY)
