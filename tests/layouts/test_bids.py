"""Of several BIDS files for a modality, the one in the space of the mask is used."""

import pytest
from cohorts import PLAIN, found, touch

from glioseg.layouts.find_subjects import read_source


def test_bids_takes_the_files_in_the_masks_space(tmp_path):
    raw, anat = "sub-1/anat/sub-1", "derivatives/prep/sub-1/anat/sub-1"
    touch(tmp_path, f"{raw}_T1w.nii.gz", f"{anat}_space-SRI_T1w.nii.gz", f"{anat}_space-MNI_T1w.nii.gz")
    touch(tmp_path, f"{anat}_space-SRI_desc-aseg_dseg.nii.gz", f"{anat}_desc-brain_mask.nii.gz")
    touch(tmp_path, f"{raw}_run-1_T2w.nii.gz", f"{raw}_run-2_T2w.nii.gz", f"{raw}_ce-gd_T1w.nii.gz")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert set(source.subjects["sub-1"].files) == {"t1ce"}
    assert len(source.notes) == 2
    assert "sub-1: 2 files for t2 (sub-1_run-1_T2w.nii.gz, sub-1_run-2_T2w.nii.gz); expected one" in "\n".join(
        source.notes
    )
    # A mask selects the files in its space, and its label dialect has to be set.
    touch(tmp_path, f"{anat}_space-SRI_label-tumor_mask.nii.gz")
    with pytest.raises(
        ValueError, match=r"the label dialect of the mask of sub-1 in .* cannot be recognized; set labels"
    ):
        found(tmp_path)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tsex\nsub-1\t61\tn/a\n")
    subject = found(tmp_path, labels="brats2023")["sub-1"]
    assert subject.files["t1"].path == f"{tmp_path}/{anat}_space-SRI_T1w.nii.gz"
    assert subject.covariates == {"age": "61"}
    # Of two files in the same space, the one in the folder of the mask is used.
    touch(tmp_path, "derivatives/other/sub-1/anat/sub-1_space-SRI_T1w.nii.gz")
    assert found(tmp_path, labels="brats2023")["sub-1"].files["t1"] == subject.files["t1"]


def test_an_empty_session_beside_others_is_a_subject_without_files(tmp_path):
    touch(tmp_path, "sub-1/ses-a/anat/sub-1_ses-a_FLAIR.nii", "sub-1/ses-c/func/sub-1_ses-c_bold.nii")
    (tmp_path / "sub-1/ses-b").mkdir()
    subjects = read_source(PLAIN | {"folder": tmp_path}, []).subjects
    assert set(subjects) == {"sub-1_ses-a", "sub-1_ses-b"}, "a session of another kind is none"
    assert subjects["sub-1_ses-b"].files == {} and subjects["sub-1_ses-b"].patient == "sub-1"
    assert subjects["sub-1_ses-b"].notes == (f"{tmp_path}/sub-1/ses-b has no folder anat",)


def test_segmentations_that_this_workflow_wrote_are_not_read_as_masks(tmp_path):
    anat = "derivatives/glioseg/sub-1/anat/sub-1"
    touch(tmp_path, "sub-1/anat/sub-1_FLAIR.nii.gz", f"{anat}_space-orig_desc-glioseg_dseg.nii.gz")
    (tmp_path / "derivatives/glioseg/participants.tsv").write_text("participant_id\tpatient\nsub-1\tP-1\n")
    written = tmp_path / "derivatives/glioseg/dataset_description.json"
    written.write_text('{"GeneratedBy": [{"Name": "glioseg"}]}')
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert set(source.subjects["sub-1"].files) == {"flair"}
    assert source.subjects["sub-1"].covariates == {}
    said = f"{tmp_path}/derivatives/glioseg holds segmentations that glioseg predicted; they are not read as masks"
    assert source.notes.count(said) == 1
    # Those of another writer are.
    for text in ('{"GeneratedBy": [{"Name": "an expert"}]}', '{"GeneratedBy": "glioseg"}', "{"):
        written.write_text(text)
        assert set(found(tmp_path, labels="brats2023")["sub-1"].files) == {"flair", "seg"}
