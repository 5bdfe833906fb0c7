"""A table of DICOM series is proposed, each that is left out in one sentence, and nothing tells who the patient is."""

import numpy as np
import pytest
from click.testing import CliRunner
from dicoms import write_series

from glioseg.files import read_table
from glioseg.layouts.dicom import propose, propose_one
from layouts import layouts

AFFINE = np.array([[-0.9, 0, 0, 30], [0, -0.9, 0, 40], [0, 0, 3, -20], [0, 0, 0, 1]])


def volume(slices=12):
    return np.random.default_rng(0).integers(0, 900, (16, 18, slices)).astype(np.int16)


def write_four(patient, **tags):
    for number, name in enumerate(("AX FLAIR", "t1_se_tra", "t1_se_tra_KM", "AX T2 FSE")):
        write_series(patient / f"{number}", volume(), AFFINE, name, **tags)


@pytest.fixture
def root(tmp_path):
    write_four(tmp_path / "p1")
    return tmp_path


def notes_of(root):
    return {patient.name: patient.notes for patient in propose(root)}


def test_the_table_is_proposed_and_read_as_data(root, tmp_path_factory):
    output = tmp_path_factory.mktemp("table") / "subjects.tsv"
    done = CliRunner().invoke(layouts, ["--dicom", str(root), "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert f"  t1ce  {root}/p1/2\n" in done.output
    (row,) = read_table(output)
    assert row["subject"] == "p1" and row["t2"].endswith("/p1/3")
    shown = CliRunner().invoke(layouts, [str(output)])
    assert "modalities flair 1, t1 1, t1ce 1, t2 1" in shown.output
    for secret in ("DOE", "JANE", "4711", "1950", "2024", "1.2.3"):
        assert secret not in output.read_text() + done.output + shown.output


def test_each_bad_series_has_a_sentence_and_the_others_go_on(root):
    pytest.importorskip("pydicom", reason="pydicom is not installed")
    bad = root / "p2"
    write_series(bad / "loc", volume(), AFFINE, "localizer")
    write_series(bad / "few", volume(4), AFFINE, "AX T2 FSE")
    write_series(bad / "shot", volume(), AFFINE, "t1", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    write_series(bad / "ct", volume(), AFFINE, "t1", Modality="CT")
    write_series(bad / "dwi", volume(), AFFINE, "ep2d_diff")
    write_series(bad / "a", volume(), AFFINE, "t1 KM")
    write_series(bad / "b", volume(), AFFINE @ np.diag([1, 1, 0.4, 1]), "MPRAGE post gd")
    mixed = root / "p3/mixed"
    write_series(mixed, volume(), AFFINE, "AX FLAIR")
    for path in write_series(root / "p4/x", volume(), AFFINE, "AX FLAIR", PatientID="12").iterdir():
        path.rename(mixed / f"other_{path.name}")
    # Of several patients, but each series in a folder of its own: they are no visits of one patient.
    write_series(root / "p6/one", volume(), AFFINE, "AX FLAIR")
    write_series(root / "p6/two", volume(), AFFINE, "AX T2", PatientID="12", StudyInstanceUID="1.9")
    (root / "p5").mkdir()
    (root / "p5/letter.txt").write_text("no DICOM")
    notes = notes_of(root)
    assert notes["p1"] == []
    expected = {
        "loc": "is a localizer; it is skipped",
        "few": "has 4 slices; expected at least 10, which cover a head; it is skipped",
        "shot": "is a secondary capture, such as a screenshot; it is skipped",
        "ct": "is of the kind CT; expected MR; it is skipped",
        "dwi": "is none of flair, t1, t1ce, t2 by its tags; if it is one, write it into the table",
        "a": f"is also t1ce; {bad}/b has smaller voxels or comes first",
    }
    assert sorted(notes["p2"]) == sorted(
        [*(f"{bad}/{name} {sentence}" for name, sentence in expected.items()), "p2 has no series of flair, t1, t2"]
    )
    assert notes["p3"][0] == f"{mixed} holds scans of several patients; keep those of each patient in a folder"
    assert notes["p6"] == [f"{root}/p6 holds scans of 2 patients; keep those of each patient in a folder"]
    proposed = {patient.name: patient.series for patient in propose(root)}
    assert set(proposed["p1"]) == {"flair", "t1", "t1ce", "t2"} and proposed["p2"] == {"t1ce": f"{bad}/b"}


def test_a_folder_named_after_the_patient_gives_no_name(tmp_path):
    write_four(tmp_path / "Doe_Jane")
    (patient,) = propose(tmp_path)
    assert patient.name == "subject_001"
    assert patient.notes == [f"{tmp_path}/Doe_Jane has the name or number of a patient, who is called subject_001 here"]


def test_visits_are_subjects_of_one_patient(tmp_path):
    write_four(tmp_path / "p1/late", StudyInstanceUID="1.2.3.1", StudyDate="20240601")
    write_four(tmp_path / "p1/early", StudyInstanceUID="1.2.3.9", StudyDate="20230601")
    early, late = propose(tmp_path)
    assert (early.name, late.name) == ("p1_ses-1", "p1_ses-2")
    assert "/early/" in early.series["t1"] and "/late/" in late.series["t1"]


def test_the_folder_of_one_patient_is_proposed_alone(root):
    patient = propose_one(root / "p1")
    assert set(patient.series) == {"flair", "t1", "t1ce", "t2"} and patient.notes == []
    (root / "none").mkdir()
    with pytest.raises(ValueError, match="none: expected the DICOM series of one visit of a patient, found no visits"):
        propose_one(root / "none")


def test_a_folder_without_dicom_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no DICOM series found; expected a folder for each patient"):
        propose(tmp_path)
