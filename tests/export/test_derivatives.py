"""A data set of BIDS derivatives: names, what lies beside each image, and what describes the data set."""

import numpy as np
import pytest
from derivatives import insist_on_bids

from glioseg.colors import TISSUES
from glioseg.export.derivatives import (
    bids_names,
    endings_of,
    participants_of,
    place_of,
    write_data_set,
    write_subject,
)
from glioseg.files import read_json, read_table, write_json
from glioseg.labels import DIALECTS
from glioseg.volumes.nifti import read_volume, write_label_map, write_map


@pytest.mark.parametrize(
    ("subject", "patient", "name"),
    [
        ("sub-01", "sub-01", "sub-01"),
        ("sub-01_ses-pre", "sub-01", "sub-01_ses-pre"),
        ("b_sub-01_ses-pre", "b_sub-01", "sub-b01_ses-pre"),
        ("BraTS20_Training_001", "BraTS20_Training_001", "sub-BraTS20Training001"),
        ("BraTS-GLI-00001-100", "BraTS-GLI-00001", "sub-BraTSGLI00001_ses-100"),
        ("Patient-001_week-044", "Patient-001", "sub-Patient001_ses-week044"),
        # A table of files names patients as it likes.
        ("scan 17", "P.3", "sub-P3_ses-scan17"),
    ],
)
def test_names_hold_only_letters_and_digits(subject, patient, name):
    assert bids_names({subject: patient}) == {subject: name}


def test_a_name_depends_on_no_other_subject():
    patients = {"a-1": "a-1", "a-1_tp2": "a-1", "b": "b"}
    alone = {subject: bids_names({subject: patient})[subject] for subject, patient in patients.items()}
    assert bids_names(patients) == alone == {"a-1": "sub-a1", "a-1_tp2": "sub-a1_ses-tp2", "b": "sub-b"}


@pytest.mark.parametrize(
    ("patients", "words"),
    [
        ({"P_01": "P_01", "P-01": "P-01"}, "the patients P_01 and P-01 the same name, sub-P01, since BIDS allows only"),
        ({"p1": "p1", "P1": "P1"}, "the patients p1 and P1 the same name, sub-P1"),
        ({"a_t1": "a", "a_t-1": "a"}, "the subjects a_t1 and a_t-1 the same name, sub-a_ses-t1"),
        ({"患者": "患者"}, "requires a letter (a to z) or a digit in the name of a patient, found '患者'"),
    ],
)
def test_names_that_would_be_equal_or_empty_are_refused(patients, words):
    with pytest.raises(ValueError) as error:
        bids_names(patients)
    assert words in str(error.value)
    assert "leave one of them out (exclude)" in str(error.value)


def write_all(folder, patients, dialects):
    """The data set of subjects with one dialect after the other."""
    several = len(dialects) > 1
    write_label_map(folder / "seg.nii.gz", np.ones((4, 4, 4), np.uint8), np.eye(4))
    write_map(folder / "WT.nii.gz", np.full((4, 4, 4), 0.2), np.eye(4))
    for number, (subject, name) in enumerate(bids_names(patients).items()):
        start, own = f"{folder}/bids/{place_of(name)}/anat/{name}", dialects[number % len(dialects)]
        write_subject(start, subject, folder / "seg.nii.gz", {"WT": folder / "WT.nii.gz"}, own if several else None)
        expected = {f"{name}_{ending}" for ending in endings_of(["WT"], several)}
        assert {path.name for path in (folder / "bids" / place_of(name) / "anat").iterdir()} == expected
    write_data_set(folder / "bids", participants_of(patients, ()), dialects, [folder, folder / "none"], "0.1.0")
    return folder / "bids"


PATIENTS = {"sub-01_ses-a": "sub-01", "sub-01_ses-b": "sub-01", "P_02": "P_02"}


def test_images_are_copies_with_a_description_beside_each(tmp_path):
    found = write_all(tmp_path, PATIENTS, ["brats2020"])
    anat = found / "sub-01/ses-a/anat"
    segmentation = anat / "sub-01_ses-a_space-orig_desc-glioseg_dseg.nii.gz"
    assert segmentation.read_bytes() == (tmp_path / "seg.nii.gz").read_bytes()
    # What a viewer writes into a file does not change the result of the study.
    segmentation.open("wb").close()
    assert (tmp_path / "seg.nii.gz").stat().st_size
    assert read_json(anat / "sub-01_ses-a_space-orig_desc-glioseg_dseg.json") == {
        "Description": "Segmentation of the brain tumor of sub-01_ses-a",
        "Manual": False,
        "SpatialReference": "orig",
    }
    stem = found / "sub-P02/anat/sub-P02_space-orig_label-WT_desc-glioseg_probseg"
    assert read_volume(f"{stem}.nii.gz")[0] == pytest.approx(0.2)
    assert read_json(f"{stem}.json")["Description"] == "Probability of the whole tumor of P_02, from 0 to 1"


def expected(dialect):
    return [
        {"index": str(value), "name": tissue, "color": TISSUES.get(tissue, "#000000")}
        for value, tissue in sorted(DIALECTS[dialect].items())
    ]


def test_one_table_describes_the_labels_of_all_subjects_in_the_colors_of_the_report(tmp_path):
    found = write_all(tmp_path, PATIENTS, ["brats2024"])
    assert read_table(found / "dseg.tsv") == expected("brats2024")
    assert set(read_json(found / "dseg.json")) == {"index", "name", "color"}
    assert [path.name for path in found.rglob("*.tsv") if path.parent != found] == []
    assert "predicted" in (found / "README.md").read_text()


def test_subjects_of_several_dialects_have_tables_of_their_own(tmp_path):
    dialects = ["brats2020", "msd"]
    found = write_all(tmp_path, PATIENTS, dialects)
    assert not (found / "dseg.tsv").exists()
    for place, name, dialect in (("sub-01/ses-a", "sub-01_ses-a", 0), ("sub-01/ses-b", "sub-01_ses-b", 1)):
        stem = found / f"{place}/anat/{name}_space-orig_desc-glioseg_dseg"
        assert read_table(f"{stem}.tsv") == expected(dialects[dialect])
        # One file describes the image and the columns.
        assert {"Manual", "Description", "index", "color"} <= set(read_json(f"{stem}.json"))


def test_participants_have_the_names_of_their_patients(tmp_path):
    found = write_all(tmp_path, PATIENTS, ["brats2020"])
    rows = [("sub-01", "sub-01"), ("sub-P02", "P_02")]
    assert [tuple(row.values()) for row in read_table(found / "participants.tsv")] == rows
    # A failed job names its subject, or its name in BIDS.
    assert participants_of(PATIENTS, {"P_02", "sub-01_ses-a"}) == {"sub-01": "sub-01"}
    assert participants_of(PATIENTS, {"sub-P02"}) == {"sub-01": "sub-01"}


def test_the_description_states_the_version_and_the_data_sets_with_a_doi(tmp_path):
    write_json(tmp_path / "dataset_description.json", {"Name": "raw", "DatasetDOI": "doi:10.0/a"})
    facts = read_json(write_all(tmp_path, PATIENTS, ["brats2020"]) / "dataset_description.json")
    assert facts["DatasetType"] == "derivative" and facts["BIDSVersion"] == "1.10.0"
    assert facts["GeneratedBy"] == [{"Name": "glioseg", "Version": "0.1.0"}]
    assert facts["SourceDatasets"] == [{"DOI": "doi:10.0/a"}]
    (tmp_path / "dataset_description.json").write_text("{")
    found = write_all(tmp_path, PATIENTS, ["brats2020"])
    assert "SourceDatasets" not in read_json(found / "dataset_description.json")


@pytest.mark.parametrize("dialects", [["brats2020"], ["brats2020", "brats2024-ped"]], ids=len)
def test_the_validator_of_bids_accepts_the_data_set(tmp_path, dialects):
    write_json(tmp_path / "dataset_description.json", {"Name": "raw", "DatasetDOI": "doi:10.18112/openneuro.ds1.v1"})
    insist_on_bids(write_all(tmp_path, PATIENTS, dialects))
