"""A single scan is found in every layout, by any name of a modality, with the label dialect of its layout."""

from pathlib import Path

import pytest
from cohorts import KINDS, touch, write_cohort
from studies import MODALITIES

from glioseg.predict.one_scan import by_modality, insist_on_unused, subject_in

STUDY = {"modalities": list(MODALITIES), "labels": "msd", "preprocess": {}}


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.layout not in ("msd", "table")])
def test_the_folder_of_a_subject_is_found_and_has_the_dialect_of_its_layout(tmp_path, kind):
    write_cohort(tmp_path, kind)
    place = tmp_path / KINDS[kind].place(KINDS[kind].subjects[0], "flair")
    folder = place.parent.parent if "bids" in kind or place.parent.suffix == ".nii" else place.parent
    files, labels = subject_in(folder, STUDY)
    assert set(files) == set(MODALITIES)
    assert all(path.is_file() and folder in path.parents and volume == 0 for path, volume in files.values())
    # A BIDS folder does not tell its dialect, so that of the models is written.
    assert labels == ("msd" if "bids" in kind else KINDS[kind].labels)


def test_a_mask_in_an_unknown_dialect_and_a_folder_without_masks_are_segmented(tmp_path):
    anat = touch(tmp_path, *(f"sub-1/anat/sub-1_{name}.nii.gz" for name in ("FLAIR", "T1w", "T2w", "dseg")))
    files, labels = subject_in(anat, STUDY)
    assert (set(files), labels) == ({"flair", "t1", "t2"}, "msd")
    (tmp_path / "sub-1/anat/sub-1_dseg.nii.gz").unlink()
    assert subject_in(anat, STUDY) == (files, "msd")
    # Pediatric subjects whose year is unknown.
    child = touch(
        tmp_path / "child", *(f"BraTS-PED-00001-000/BraTS-PED-00001-000-{name}.nii" for name in ("t2f", "seg"))
    )
    assert subject_in(child, STUDY)[1] == "msd"


def test_a_bids_subject_is_chosen_by_its_folder(tmp_path, monkeypatch):
    for name in ("sub-1", "sub-11", "sub-2/ses-a", "sub-2/ses-b"):
        touch(tmp_path, f"{name}/anat/{name.replace('/', '_')}_FLAIR.nii.gz")
    monkeypatch.chdir(tmp_path)
    for name in ("sub-1", "sub-11", "sub-2/ses-a"):
        files, _ = subject_in(Path(name), STUDY)
        assert files["flair"][0] == tmp_path / name / f"anat/{name.replace('/', '_')}_FLAIR.nii.gz"
    monkeypatch.chdir(tmp_path / "sub-1")
    assert subject_in(Path(), STUDY)[0]["flair"][0].is_file()
    with pytest.raises(ValueError, match=r"expected the folder of one subject, found sub-2_ses-a, sub-2_ses-b; choose"):
        subject_in(tmp_path / "sub-2", STUDY)
    with pytest.raises(ValueError, match=r"expected the folder of one subject, found sub-1, sub-11, sub-2_ses-a"):
        subject_in(tmp_path, STUDY)
    with pytest.raises(ValueError, match=r"no known layout in"):
        subject_in(touch(tmp_path / "other", "a.txt"), STUDY)
    touch(tmp_path, "sub-1/anat/sub-1_run-2_FLAIR.nii.gz")
    with pytest.raises(ValueError, match=r"sub-1: 2 files for flair .*; expected one, so none is used"):
        subject_in(tmp_path / "sub-1", STUDY)
    # Two files for a modality of another subject do not matter.
    assert subject_in(tmp_path / "sub-11", STUDY)[0]["flair"][0].is_file()


def test_modalities_have_the_names_of_the_layouts(tmp_path):
    def file(name):
        return str(touch(tmp_path, name) / name)

    given = [(name, file(f"{name}.nii")) for name in ("t2f", "T1-Gd", "t1n", "T2w")]
    found = by_modality(given, MODALITIES)
    assert found == {
        name: (Path(path), 0) for name, (_, path) in zip(("flair", "t1ce", "t1", "t2"), given, strict=True)
    }
    assert by_modality([("PET", file("p.nii") + ":2")], ["flair", "pet"]) == {"pet": (tmp_path / "p.nii", 2)}
    with pytest.raises(ValueError, match=r"the model takes flair, t1, t1ce, t2, not pet; give only its modalities"):
        by_modality([("pet", file("p.nii"))], MODALITIES)
    with pytest.raises(ValueError, match=r"flair has two files, .*t2f.nii and .*f.nii; expected one"):
        by_modality([("t2f", file("t2f.nii")), ("flair", file("f.nii"))], MODALITIES)
    with pytest.raises(ValueError, match=r"nowhere.nii does not exist"):
        by_modality([("flair", str(tmp_path / "nowhere.nii"))], MODALITIES)


def test_an_image_is_not_overwritten(tmp_path):
    image = touch(tmp_path, "a.nii") / "a.nii"
    insist_on_unused(tmp_path / "b.nii", {"t1": (image, 0)})
    (tmp_path / "link.nii").symlink_to(image)
    with pytest.raises(ValueError, match=r"link.nii is the file for t1; expected another file for the label map"):
        insist_on_unused(tmp_path / "link.nii", {"t1": (image, 0)})
