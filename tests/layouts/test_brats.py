"""The label dialect of a BraTS subject follows from its name and the year of the challenge."""

import re

import pytest
from cohorts import PLAIN, found, touch

from glioseg.layouts.find_subjects import read_source, recognize


@pytest.mark.parametrize(
    ("folder", "labels"),
    [
        ("ASNR-MICCAI-BraTS2023-PED-Challenge-TrainingData", "brats2023"),
        ("BraTS-PEDs2024_Training", "brats2024-ped"),
        ("PED2025/later/2019", "brats2024-ped"),
        ("downloads 2023-05-01", None),
        ("BraTS2023and2024", None),
    ],
)
def test_pediatric_labels_go_by_the_year(tmp_path, folder, labels):
    root = touch(tmp_path / folder, "BraTS-PED-00001-000/BraTS-PED-00001-000-t1n.nii.gz")
    if labels is None:
        with pytest.raises(ValueError, match=r"PED-00001-000 in .* is pediatric.*set labels to brats2023 or"):
            found(root)
        assert found(root, labels="brats2023")["BraTS-PED-00001-000"].labels == "brats2023"
    else:
        assert found(root)["BraTS-PED-00001-000"].labels == labels


def test_labels_of_renamed_and_mixed_subjects(tmp_path):
    touch(tmp_path / "old", "brats2013_pat0001/brats2013_pat0001_t1.nii", "Brats17_2013_2_1/Brats17_2013_2_1_t1.nii")
    assert [subject.labels for subject in found(tmp_path / "old").values()] == ["brats2020", "brats2013"]
    names = ["BraTS-GLI-00001-000", "BraTS-GLI-00001-099", "BraTS-GLI-00001-100", "BraTS-GoAT-00001", "mine"]
    touch(tmp_path / "new", *(f"{name}/{name}-t1n.nii.gz" for name in names))
    subjects = found(tmp_path / "new")
    assert [subjects[name].labels for name in names] == [
        "brats2023",
        "brats2023",
        "brats2024",
        "brats2023",
        "brats2023",
    ]
    assert {subject.labels for subject in found(tmp_path / "new", labels="msd").values()} == {"msd"}


def test_of_two_masks_none_is_chosen(tmp_path):
    touch(
        tmp_path, "a/a_t1.nii", "a/A_rater_Segm.nii", "a/B_rater_Segm.nii", "b/b_t1.nii", "b/b_seg.nii", "b/x_Segm.nii"
    )
    touch(tmp_path, "c/c_t1.nii", "c/W39_Segm.nii", "masks/c_seg.nii.gz")
    subjects = found(tmp_path, ["t1"])
    assert all(set(subject.files) == {"t1"} for subject in subjects.values())
    assert "a: 2 files for seg (A_rater_Segm.nii, B_rater_Segm.nii); expected one, so none" in subjects["a"].notes[0]
    assert "2 files for seg (b_seg.nii, x_Segm.nii)" in subjects["b"].notes[0]
    assert "2 files for seg (W39_Segm.nii, c_seg.nii.gz)" in subjects["c"].notes[0]


def test_upenn_gbm_has_its_masks_in_another_folder(tmp_path):
    names = [f"UPENN-GBM-0000{number}_{visit}" for number, visit in ((1, 11), (1, 21), (2, 11))]
    touch(tmp_path, *(f"images_structural/{name}/{name}_{part}.nii.gz" for name in names for part in UPENN))
    touch(tmp_path, *(f"images_structural_unstripped/{name}/{name}_T1_unstripped.nii.gz" for name in names))
    touch(tmp_path, *(f"images_segm/{name}_segm.nii.gz" for name in names[:2]), "images_segm/stranger_segm.nii.gz")
    touch(tmp_path, *(f"automated_segm/{name}_automated_approx_segm.nii.gz" for name in names))
    assert recognize(str(tmp_path)) == "brats"
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert [sorted(subject.files) for subject in source.subjects.values()] == [
        *[["flair", "seg", "t1", "t1ce", "t2"]] * 2,
        ["flair", "t1", "t1ce", "t2"],
    ]
    assert [*source.subjects] == names
    assert source.subjects[names[1]].files["seg"].path.endswith("/images_segm/UPENN-GBM-00001_21_segm.nii.gz")
    assert source.of_subjects == [] and len(source.general) == 2
    assert f"images_segm holds 1 images of no subject, such as {tmp_path}/images_segm/stranger" in source.general[0]
    assert "4 folders hold images whose names do not match this layout" in source.general[1]


def test_folders_of_masks_are_no_subjects(tmp_path):
    touch(tmp_path, "a/a_t1.nii", "b/x_segm.nii")
    subjects = found(tmp_path)
    assert set(subjects["a"].files) == {"t1"}
    assert subjects["b"].files == {} and "do not match this layout (x_segm.nii)" in subjects["b"].notes[0]


def test_ucsf_pdgm_is_recognized(tmp_path):
    names = ["UCSF-PDGM-0004", "UCSF-PDGM-0429", "UCSF-PDGM-0429_FU003d"]
    parts = ("FLAIR", "FLAIR_bias", "T1", "T1c", "T2", "DTI_eddy_FA", "brain_segmentation", "tumor_segmentation")
    touch(tmp_path, *(f"{name}_nifti/{name}_{part}.nii.gz" for name in names for part in parts))
    subjects = found(tmp_path)
    assert [*subjects] == names
    assert [subject.patient for subject in subjects.values()] == [names[0], names[1], names[1]]
    for name, subject in subjects.items():
        assert {key: file.path for key, file in subject.files.items()} == {
            key: f"{tmp_path}/{name}_nifti/{name}_{part}.nii.gz" for key, part in UCSF.items()
        }
        assert subject.notes == ()


def test_files_may_be_named_by_the_modality_alone(tmp_path):
    touch(
        tmp_path,
        *(f"HGG/p{number}/{part}.nii.gz" for number in (1, 2) for part in ("flair", "t1", "T1-Gd", "t2", "seg")),
    )
    # Where files have the name of the subject, others mean nothing.
    touch(tmp_path, "HGG/p3/p3_t1.nii", "HGG/p3/t2.nii")
    subjects = found(tmp_path)
    assert [sorted(subject.files) for subject in subjects.values()] == [
        *[["flair", "seg", "t1", "t1ce", "t2"]] * 2,
        ["t1"],
    ]
    assert subjects["p1"].files["t1ce"].path == f"{tmp_path}/HGG/p1/T1-Gd.nii.gz"
    assert subjects["p1"].covariates == {"grade": "HGG"}
    # The folder of one subject.
    assert list(found(tmp_path / "HGG" / "p2")) == ["p2"]


def test_a_template_in_the_root_is_no_subject(tmp_path):
    touch(tmp_path, "T1.nii", "A-1/A-1-t1n.nii", "A-2/A-2-t1n.nii")
    assert recognize(str(tmp_path)) == "brats2023"
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert list(source.subjects) == ["A-1", "A-2"]
    assert source.notes == [
        f"1 folder holds images whose names do not match this layout, such as {tmp_path} (T1.nii); they are skipped"
    ]


UPENN = ("T1", "T1GD", "T2", "FLAIR")
UCSF = {"flair": "FLAIR", "t1": "T1", "t1ce": "T1c", "t2": "T2", "seg": "tumor_segmentation"}


def test_files_named_as_in_two_years_are_told(tmp_path):
    touch(tmp_path, "A/A_t1.nii.gz", "A/A_t2.nii.gz", "A/A_t1ce.nii.gz", "A/A-t2f.nii.gz")
    touch(tmp_path, "B/B-t1n.nii.gz", "B/B_flair.nii.gz")
    for layout, unread in (("brats", "A: .* A-t2f.nii.gz is"), ("brats2023", "B: .* B_flair.nii.gz is")):
        source = read_source(PLAIN | {"folder": tmp_path, "layout": layout}, [])
        (note,) = [note for note in source.notes if note[0] == unread[0]]
        assert re.match(f"{unread} not read; name all files of a subject alike", note)
        assert "flair" not in source.subjects[unread[0]].files
