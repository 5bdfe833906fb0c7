"""Files that are not images, ambiguous files and unreadable folders are skipped with a note."""

import os
from pathlib import Path

import pytest
from cohorts import PLAIN, found, touch
from studies import MODALITIES, write_subject

from glioseg.labels import MASK
from glioseg.layouts.find_subjects import File, read_source
from glioseg.layouts.folders import file_named, state_of


def test_files_that_are_not_images_are_skipped(tmp_path):
    write_subject(tmp_path, 1, ending=".nii")
    odd = write_subject(tmp_path, 2)
    (odd / "case_02_seg.nii.gz").rename(odd / "W39_1998.09.19_Segm.nii.gz")
    (odd / "case_02_t1.nii.gz").unlink()
    (odd / "case_02_t2.nii.gz").unlink()
    (odd / "case_02_t2.nii.gz").symlink_to("never_fetched")
    touch(odd, "._case_02_t1.nii.gz", "case_02_t1.txt", "case_02_t1ce_bias.nii.gz")
    touch(tmp_path, "name_mapping.csv", "__MACOSX/case_03/case_03_t1.nii.gz", "atlas/mean.nii.gz", ".git/x_t1.nii")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert list(source.subjects) == ["atlas", "case_01", "case_02"]
    assert source.subjects["atlas"].files == {}
    assert set(source.subjects["case_01"].files) == {*MODALITIES, MASK}
    assert set(source.subjects["case_02"].files) == {"flair", "t1ce", MASK}
    assert source.subjects["case_02"].files[MASK].path.endswith("/W39_1998.09.19_Segm.nii.gz")
    notes = "\n".join(source.notes)
    assert f"{tmp_path}/atlas holds images whose names do not match this layout (mean.nii.gz)" in notes
    assert "case_02_t2.nii.gz is a link to a missing file" in notes
    assert "name_mapping.csv" not in notes
    assert len(source.notes) == 2
    # Only the wanted modalities are returned, in the wanted order, and the mask is last.
    assert list(found(tmp_path, ["t1ce", "t1", "flair"])["case_01"].files) == ["t1ce", "t1", "flair", MASK]


def test_neither_of_two_files_for_one_modality_is_used(tmp_path):
    touch(tmp_path, "a/a_t1ce.nii.gz", "a/a_t1c.nii.gz", "a/a_flair.nii", "a/a_flair.nii.gz")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert source.subjects["a"].files == {"flair": File(f"{tmp_path}/a/a_flair.nii")}
    assert source.notes == [
        "a: a_flair.nii is used for flair, and a_flair.nii.gz beside it is not; delete the one that is out of date",
        "a: 2 files for t1ce (a_t1c.nii.gz, a_t1ce.nii.gz); expected one, so none is used: keep only one, or "
        "use a table",
    ]


def test_other_formats_and_folders_of_dicom_slices_are_found(tmp_path):
    touch(tmp_path, "a/a_flair.nrrd", "a/a_t1.hdr", "a/a_t1.img", "a/a_t2/1.dcm", "a/a_t2/2.dcm", "a/a_seg.mha")
    touch(tmp_path, "b/b_flair.mha", "b/b_flair.nii.gz", "b/b_t1/one.txt")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    files = {"flair": "a_flair.nrrd", "t1": "a_t1.img", "t2": "a_t2", "seg": "a_seg.mha"}
    assert source.subjects["a"].files == {name: File(f"{tmp_path}/a/{file}") for name, file in files.items()}
    assert source.subjects["b"].files == {"flair": File(f"{tmp_path}/b/b_flair.nii.gz")}
    assert source.notes == [
        f"{tmp_path}/b/b_t1 is a folder; expected one image in it, or DICOM slices alone, found one.txt; it is skipped",
        "b: b_flair.nii.gz is used for flair, and b_flair.mha beside it is not; delete the one that is out of date",
    ]
    touch(tmp_path / "old", "c/VSD.Brain.XX.O.MR_T1.1/VSD.Brain.XX.O.MR_T1.1.mha")
    (found_there,) = found(tmp_path / "old").values()
    assert found_there.files["t1"].path.endswith("MR_T1.1.mha")


def test_a_folder_without_read_permission_is_skipped(tmp_path, monkeypatch):
    touch(tmp_path, "a/a_t1.nii", "b/b_t1.nii")
    scandir = os.scandir

    def forbidding(folder):
        if folder == f"{tmp_path}/a":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", forbidding)
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert source.subjects["a"].files == {}
    assert source.notes == [f"{tmp_path}/a cannot be listed (Permission denied); it is skipped"]
    monkeypatch.setattr(Path, "stat", lambda *arguments, **options: forbidding(f"{tmp_path}/a"))
    with pytest.raises(ValueError, match=r"cannot be accessed \(Permission denied\)"):
        found(tmp_path)


def test_a_volume_of_a_file_is_named_after_a_colon():
    assert file_named("a/b.nii.gz:2") == File("a/b.nii.gz", 2)
    assert file_named("b.NII:0") == File("b.NII", 0)
    assert file_named("a:2/b.nii") == File("a:2/b.nii", 0)
    assert file_named("b.nrrd:1") == File("b.nrrd", 1)
    assert file_named("a/dicom/") == File("a/dicom", 0)


def test_the_state_of_a_file_or_folder_tells_that_its_content_changed_and_not_that_it_moved(tmp_path):
    touch(tmp_path, "a/b.nii", "c/1.dcm", "c/2.dcm")
    before = [state_of(str(tmp_path / name)) for name in ("a/b.nii", "c")]
    (tmp_path / "a").rename(tmp_path / "d")
    (tmp_path / "c").rename(tmp_path / "e")
    places = [str(tmp_path / name) for name in ("d/b.nii", "e")]
    assert [state_of(place) for place in places] == before
    (tmp_path / "d/b.nii").write_text("longer")
    os.utime(tmp_path / "e/2.dcm", (5, 5))
    assert all(state_of(place) not in (old, []) for place, old in zip(places, before, strict=True))
    assert state_of(str(tmp_path / "a/b.nii")) == []
