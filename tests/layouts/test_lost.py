"""Whatever looks like a subject and gives none is a subject without files, with a sentence that says why."""

import pytest
from cohorts import PLAIN, touch

from glioseg.layouts.find_subjects import find_subjects, read_source


def lost(root, **source):
    """The notes of subjects without files, by name."""
    found = read_source(PLAIN | {"folder": root} | source, []).subjects
    return {name: " ".join(subject.notes) for name, subject in found.items() if not subject.files}


@pytest.mark.parametrize("group", ["", "HGG/"])
@pytest.mark.parametrize("ending", ["_flair", "-t2f"])
def test_folders_that_look_like_subjects_are_rows(tmp_path, group, ending):
    root = tmp_path / "data"
    base = touch(root, f"{group}case_01/case_01{ending}.nii.gz", f"{group}case_02/case_02{ending}.nii") / group
    (base / "case_03").mkdir()
    touch(base, f"case_04/case_04{ending}.nii.gz.part", "renamed/case_05_flair.nii", "case_06/readme.txt")
    (base / "case_07").symlink_to("/never/fetched")
    (base / "case_08").mkdir()
    (base / "case_08" / f"case_08{ending}.nii.gz").symlink_to("/never/fetched")
    # These do not look like subjects.
    touch(base, "scripts/run.py", "more/deep/notes.txt")
    found = lost(root)
    assert set(found) == {"case_03", "case_04", "renamed", "case_06", "case_07", "case_08"}
    assert found["case_03"] == f"{base / 'case_03'} is empty"
    assert f"case_04 holds a part of a download (case_04{ending}.nii.gz.part); finish or" in found["case_04"]
    assert "renamed holds images whose names do not match this layout (case_05_flair.nii)" in found["renamed"]
    assert found["case_06"].endswith("case_06 holds no image that this layout knows")
    assert "case_07 is a link to a missing file" in found["case_07"]
    assert f"case_08{ending}.nii.gz is a link to a missing file" in found["case_08"]
    assert read_source(PLAIN | {"folder": root}, []).general == []


def test_folders_without_subjects_beside_them_are_named_once(tmp_path):
    touch(tmp_path, "case_01/case_01_t1.nii", *(f"more/x/{number}/odd.nii" for number in range(5)))
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert list(source.subjects) == ["case_01"]
    assert source.notes == [
        f"5 folders hold images whose names do not match this layout, such as {tmp_path}/more/x/0 (odd.nii); "
        "they are skipped"
    ]


def test_decathlon_subjects_without_an_image_are_rows(tmp_path):
    names = ("dataset.json", "imagesTr/b_1.nii.gz", "labelsTr/b_1.nii.gz", "labelsTr/b_2.nii.gz")
    touch(tmp_path, *names, "imagesTr/b_3.nii.gz.crdownload")
    (tmp_path / "imagesTr" / "b_4.nii.gz").symlink_to("/never/fetched")
    found = lost(tmp_path)
    assert set(found) == {"b_2", "b_3", "b_4"}
    assert found["b_2"] == f"{tmp_path}/labelsTr has a mask of b_2, and imagesTr has no image"
    assert "b_3.nii.gz.crdownload is a part of a download" in found["b_3"]
    assert "b_4.nii.gz is a link to a missing file" in found["b_4"]
    # A mask that is a broken link is told of its subject, which has no mask then.
    (tmp_path / "labelsTr" / "b_1.nii.gz").unlink()
    (tmp_path / "labelsTr" / "b_1.nii.gz").symlink_to("/never/fetched")
    subject = read_source(PLAIN | {"folder": tmp_path}, []).subjects["b_1"]
    assert "seg" not in subject.files and "labelsTr/b_1.nii.gz is a link to a missing file" in subject.notes[0]


def test_bids_subjects_without_an_image_are_rows(tmp_path):
    touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02.json", "sub-03/func/sub-03_bold.nii.gz")
    touch(tmp_path, "sub-04/ses-a/anat/sub-04_ses-a_T1w.nii", "sub-04/ses-b/anat/readme")
    touch(tmp_path, "derivatives/x/sub-01/anat/sub-01_desc-brain_mask.nii.gz", "derivatives/x/sub-04/func/a.tsv")
    (tmp_path / "sub-05").symlink_to("/never/fetched")
    (tmp_path / "sub-06").mkdir()
    found = lost(tmp_path)
    assert set(found) == {"sub-02", "sub-03", "sub-04_ses-b", "sub-05", "sub-06"}
    assert found["sub-02"] == f"{tmp_path}/sub-02/anat holds no image that this layout knows"
    assert found["sub-03"] == f"{tmp_path}/sub-03 has no folder anat"
    assert "sub-05 is a link to a missing file" in found["sub-05"]
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert source.general == [] and source.subjects["sub-01"].notes == ()


def test_a_name_that_the_workflow_cannot_use_excludes_its_subject_alone(tmp_path):
    unusable = {"x{y}": "x%7By%7D", "<z>": "%3Cz%3E", "a  b": "a %20b", " c": "%20c", "t\tb": "t%09b", "n\nl": "n%0Al"}
    usable = {"plain", "a b", "q*?[r]", "-dash", "$HOME", "~u", "a&b;c", 'd"q', "it's", "b\\s", "a%b", "ünï"}
    touch(tmp_path, *(f"{name}/{name}_{part}.nii.gz" for name in usable | set(unusable) for part in ("flair", "seg")))
    found = find_subjects([PLAIN | {"folder": tmp_path}], ["flair"])
    assert set(found) == usable | set(unusable.values())
    assert all(set(found[name].files) == {"flair", "seg"} and not found[name].notes for name in usable)
    for name, changed in unusable.items():
        assert not found[changed].files
        assert f"{name!r}"[1:-1] in found[changed].notes[0]
        assert "cannot be used as a name in the workflow; expected none of { } < >" in found[changed].notes[0]
