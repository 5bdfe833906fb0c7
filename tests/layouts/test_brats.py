"""The label dialect of a BraTS subject follows from its name and the year of the challenge."""

import pytest
from cohorts import found, touch


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
