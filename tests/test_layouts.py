"""Data sets as they come: recognized, read to the same arrays, predicted back in their own values and geometry."""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from cohorts import KINDS, turned, write_cohort
from conftest import MODALITIES, SETTINGS, tiny_subject, write_subject

from glioseg.labels import CLASSES, MASK, classes_of, to_values
from glioseg.layouts.describe import forecast_bytes
from glioseg.layouts.find_subjects import File, find_subjects, read_source, recognize
from glioseg.predict.restore import restore_classes
from glioseg.preprocess.scan import preprocess_scan
from glioseg.volumes.nifti import read_volume
from layouts import main

PLAIN = {"layout": "auto", "labels": "auto", "prefix": ""}


def touch(root: Path, *names: str) -> Path:
    """Empty files: layouts go by names alone."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path, modalities=MODALITIES, **source):
    return find_subjects([PLAIN | {"folder": str(root)} | source], list(modalities))


def preprocessed(name: str, subject):
    files = {part: (Path(file.path), file.volume) for part, file in subject.files.items()}
    mask = files.pop(MASK, None)
    return preprocess_scan(name, files, mask, SETTINGS | {"labels": subject.labels})


def check_subjects(folder: Path, source: dict, kind, spacing_mm=(1.0, 1.0, 1.0)):
    """Each of the two gives the phantom's own arrays, and a prediction on its file's grid in its label values."""
    subjects = find_subjects([source], list(MODALITIES))
    assert list(subjects) == list(kind.subjects)
    channels = classes_of([kind.labels])
    for number, (name, subject) in enumerate(subjects.items(), start=1):
        scan, arrays = preprocessed(name, subject)
        assert scan["verdict"] != "excluded", scan["reason"]
        expected = expectation(folder, number, spacing_mm)
        np.testing.assert_array_equal(arrays["image"], expected["image"])
        if MASK not in subject.files:
            assert "mask" not in arrays
            continue
        np.testing.assert_array_equal(arrays["mask"], expected["mask"])
        mask, affine = read_volume(subject.files[MASK].path)
        certain = np.stack([arrays["mask"] == CLASSES.index(tissue) for tissue in channels], axis=-1)
        values = to_values(restore_classes(certain.astype(np.float32), scan, list(channels), "classes"), subject.labels)
        assert values.shape == mask.shape
        assert np.mean(values != mask) < (1e-9 if spacing_mm == (1.0, 1.0, 1.0) else 0.02)
        assert np.allclose(scan["own"]["affine"], affine)


def expectation(folder: Path, number: int, spacing_mm) -> dict[str, np.ndarray]:
    """Arrays of a phantom as BraTS itself would have stored it."""
    images, mask = tiny_subject(number)
    paths = {}
    for part, volume in {**images, MASK: mask}.items():
        paths[part] = folder / f"expected_{number}_{part}.nii", 0
        nib.save(nib.Nifti1Image(*turned(volume, "LPS", 0, spacing_mm)), paths[part][0])
    return preprocess_scan(str(number), paths, paths.pop(MASK), SETTINGS | {"labels": "brats2020"})[1]


@pytest.mark.parametrize("name", KINDS)
def test_every_layout_gives_the_same_arrays_and_comes_back(tmp_path, name):
    source, kind = write_cohort(tmp_path / "data", name), KINDS[name]
    assert recognize(source["folder"]) == kind.layout
    subjects = find_subjects([source], list(MODALITIES))
    assert {subject.labels for subject in subjects.values()} == {kind.labels}
    check_subjects(tmp_path, source, kind)


@pytest.mark.parametrize("orientation", ["RAS", "PIR", "LAS"])
@pytest.mark.parametrize("name", ["2021", "msd"])
def test_orientation_changes_nothing(tmp_path, name, orientation):
    check_subjects(tmp_path, write_cohort(tmp_path / "data", name, orientation=orientation), KINDS[name])


@pytest.mark.parametrize("name", ["2024 PED", "table 4-D"])
def test_oblique_and_anisotropic_scans_come_back(tmp_path, name):
    spacing_mm = (0.9, 0.9, 2.0)
    source = write_cohort(
        tmp_path / "data", name, orientation="RAS", tilt_degrees=17, spacing_mm=spacing_mm, ending=".nii"
    )
    check_subjects(tmp_path, source, KINDS[name], spacing_mm)


def test_covariates_are_read_where_they_are(tmp_path):
    source = write_cohort(tmp_path, "2020")
    subjects = find_subjects([source], list(MODALITIES))
    first = {"grade": "HGG", "age": "60.46", "survival_days": "289", "extent_of_resection": "GTR"}
    assert [subject.covariates for subject in subjects.values()] == [first, {"grade": "LGG"}]
    # From the folder below, the table above it still counts.
    assert found(tmp_path / "MICCAI_BraTS2020_TrainingData") == subjects
    touch(tmp_path / "old", "HGG/a/a_flair.nii", "LG/b/b_flair.nii")
    assert {name: subject.covariates for name, subject in found(tmp_path / "old").items()} == {
        "a": {"grade": "HGG"},
        "b": {"grade": "LGG"},
    }
    (tmp_path / "old" / "survival_data.csv").write_text("BraTS19ID,Age\nb\n")
    assert found(tmp_path / "old")["b"].covariates == {"grade": "LGG"}
    notes = read_source(PLAIN | {"folder": tmp_path / "old"}, []).notes
    assert len(notes) == 1
    assert "survival_data.csv: expected 2 cells in each line, found 1 in line 2" in notes[0]


def test_what_is_no_image_is_passed_by(tmp_path):
    write_subject(tmp_path, 1, ending=".nii")
    odd = write_subject(tmp_path, 2)
    (odd / "case_02_seg.nii.gz").rename(odd / "W39_1998.09.19_Segm.nii.gz")
    (odd / "case_02_t1.nii.gz").unlink()
    (odd / "case_02_t2.nii.gz").unlink()
    (odd / "case_02_t2.nii.gz").symlink_to("never_fetched")
    touch(odd, "._case_02_t1.nii.gz", "case_02_t1.txt", "case_02_t1ce_bias.nii.gz")
    touch(tmp_path, "name_mapping.csv", "__MACOSX/case_03/case_03_t1.nii.gz", "atlas/mean.nii.gz", ".git/x_t1.nii")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert list(source.subjects) == ["case_01", "case_02"]
    assert set(source.subjects["case_01"].files) == {*MODALITIES, MASK}
    assert set(source.subjects["case_02"].files) == {"flair", "t1ce", MASK}
    assert source.subjects["case_02"].files[MASK].path.endswith("/W39_1998.09.19_Segm.nii.gz")
    notes = "\n".join(source.notes)
    assert f"{tmp_path}/atlas holds images whose names are no subject's in this layout (mean.nii.gz)" in notes
    assert "case_02_t2.nii.gz is a link to a file that isn't there" in notes
    assert "name_mapping.csv" not in notes
    assert len(source.notes) == 2
    # Only what is wanted, in the wanted order, the mask last.
    assert list(found(tmp_path, ["t1ce", "t1", "flair"])["case_01"].files) == ["t1ce", "t1", "flair", MASK]


def test_modalities_by_whatever_name(tmp_path):
    touch(tmp_path, *(f"a/a_{name}.nii.gz" for name in ("FLAIR", "T1w", "t1-Gd", "T2", "adc", "SEG")))
    subject = found(tmp_path, [*MODALITIES, "ADC"])["a"]
    assert set(subject.files) == {*MODALITIES, "ADC", MASK}
    assert subject.files["ADC"] == File(f"{tmp_path}/a/a_adc.nii.gz")
    with pytest.raises(ValueError, match="modalities: t1c is called t1ce here, in whatever data set; write t1ce"):
        found(tmp_path, ["flair", "t1c"])


def test_two_files_for_one_modality_are_not_guessed_between(tmp_path):
    touch(tmp_path, "a/a_t1ce.nii.gz", "a/a_t1c.nii.gz", "a/a_flair.nii", "a/a_flair.nii.gz")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert source.subjects["a"].files == {"flair": File(f"{tmp_path}/a/a_flair.nii")}
    assert source.notes == ["a: 2 files for t1ce (a_t1c.nii.gz, a_t1ce.nii.gz); left out: remove one, or use a table"]


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
        with pytest.raises(ValueError, match=r"PED-00001-000 in .* is pediatric.*name the labels: brats2023 or"):
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


def test_bids_takes_the_files_in_the_masks_space(tmp_path):
    raw, anat = "sub-1/anat/sub-1", "derivatives/prep/sub-1/anat/sub-1"
    touch(tmp_path, f"{raw}_T1w.nii.gz", f"{anat}_space-SRI_T1w.nii.gz", f"{anat}_space-MNI_T1w.nii.gz")
    touch(tmp_path, f"{anat}_space-SRI_desc-aseg_dseg.nii.gz", f"{anat}_desc-brain_mask.nii.gz")
    touch(tmp_path, f"{raw}_run-1_T2w.nii.gz", f"{raw}_run-2_T2w.nii.gz", f"{raw}_ce-gd_T1w.nii.gz")
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert set(source.subjects["sub-1"].files) == {"t1ce"}
    assert len(source.notes) == 2
    assert "sub-1: 2 files for t2 (sub-1_run-1_T2w.nii.gz, sub-1_run-2_T2w.nii.gz); left out" in "\n".join(source.notes)
    # A mask says which of them, and that its values need a name.
    touch(tmp_path, f"{anat}_space-SRI_label-tumor_mask.nii.gz")
    with pytest.raises(ValueError, match=r"what the mask of sub-1 in .* means can't be told.*name the labels"):
        found(tmp_path)
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tsex\nsub-1\t61\tn/a\n")
    subject = found(tmp_path, labels="brats2023")["sub-1"]
    assert subject.files["t1"].path == f"{tmp_path}/{anat}_space-SRI_T1w.nii.gz"
    assert subject.covariates == {"age": "61"}
    # Of two in the same space, the one beside the mask.
    touch(tmp_path, "derivatives/other/sub-1/anat/sub-1_space-SRI_T1w.nii.gz")
    assert found(tmp_path, labels="brats2023")["sub-1"].files["t1"] == subject.files["t1"]


def test_decathlon_order_is_the_files(tmp_path):
    touch(
        tmp_path, "Task01/imagesTr/BRATS_1.nii.gz", "Task01/labelsTr/BRATS_1.nii.gz", "Task01/imagesTs/BRATS_2.nii.gz"
    )
    (tmp_path / "Task01" / "dataset.json").write_text(json.dumps({"modality": {"0": "T2w", "1": "t1gd", "2": "ASL"}}))
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    image = f"{tmp_path}/Task01/imagesTr/BRATS_1.nii.gz"
    assert source.subjects["BRATS_1"].files == {
        "t2": File(image, 0),
        "t1ce": File(image, 1),
        MASK: File(f"{tmp_path}/Task01/labelsTr/BRATS_1.nii.gz"),
    }
    assert MASK not in source.subjects["BRATS_2"].files
    assert "lists modalities without a name here: ASL" in source.notes[0]
    for content in ("{", "[]", '{"modality": {"1": "T1w"}}', '{"modality": 3}'):
        (tmp_path / "Task01" / "dataset.json").write_text(content)
        source = read_source(PLAIN | {"folder": tmp_path}, [])
        assert source.subjects["BRATS_1"].files["t1ce"] == File(image, 2)
        assert "taken are FLAIR, T1w, t1gd, T2w" in source.notes[0]
    touch(tmp_path, "Task01/imagesTr/BRATS_1_0000.nii.gz")
    with pytest.raises(ValueError, match=r"Task01 is laid out for nnU-Net.*write a table"):
        found(tmp_path)


def test_tables_say_which_line_is_wrong(tmp_path):
    touch(tmp_path, "a.nii.gz")
    path = tmp_path / "any.csv"

    def read(text, encoding="utf-8"):
        path.write_text(text, encoding=encoding)
        return read_source(PLAIN | {"folder": path, "labels": "msd"}, [])

    # As a spreadsheet in Europe writes it.
    source = read("Subject;T1 Gd;Mask;labels;Age\n\nx;./a.nii.gz:3;;;61\ny;a.nii.gz;b.nii.gz;brats2023;\n", "utf-8-sig")
    assert source.layout == "table"
    assert source.subjects["x"] == ({"t1ce": File(f"{tmp_path}/a.nii.gz", 3)}, "msd", {"Age": "61"})
    assert source.subjects["y"] == ({"t1ce": File(f"{tmp_path}/a.nii.gz")}, "brats2023", {})
    assert source.notes == [f"{path}: line 4 names {tmp_path}/b.nii.gz, which does not exist"]
    for text, sentence in [
        ("subject,t1\nx,a.nii.gz,1\n", "any.csv: expected 2 cells in each line, found 3 in line 2"),
        ("subject,t1\nx,a.nii.gz\nx,a.nii.gz\n", "any.csv: line 3 names x again; expected one line for each subject"),
        ("subject,t1\n../x,a.nii.gz\n", "any.csv: line 2 names a subject '../x'; expected a name without /"),
        ("subject,t1\n,a.nii.gz\n", "any.csv: line 2 names a subject ''"),
        ("name,t1\nx,a.nii.gz\n", "expected the columns subject, one for each modality.*found name, t1"),
        ("subject,age\nx,3\n", "expected the columns subject, one for each modality.*found subject, age"),
        ("subject,t1c,t1ce\nx,a.nii.gz,\n", "expected one column for t1ce; found subject, t1c, t1ce"),
        ("subject,t1,t1\nx,a.nii.gz,\n", "two columns have one name"),
        ("subject,t1,labels\nx,a.nii.gz,brats1999\n", "x in .* has the labels 'brats1999'; known are brats2013"),
        ("subject,t1\n", "no subject found in .*any.csv"),
        ("", "no subject found in .*any.csv"),
        ('subject,t1\n"x,a.nii.gz\n', "any.csv: expected 2 cells in each line, found 1 in line 2"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            read(text)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"any.csv cannot be read as a table"):
        found(path)


def test_sources_meet_by_name_and_prefix(tmp_path):
    touch(tmp_path / "x", "a/a_t1.nii.gz")
    touch(tmp_path / "y", "a/a-t1n.nii.gz", "b/b-t1n.nii.gz")
    sources = [PLAIN | {"folder": str(tmp_path / folder)} for folder in "xy"]
    with pytest.raises(ValueError, match=r"data: a lies in .*/x and in .*/y; make each a source of its own and"):
        find_subjects(sources, ["t1"])
    subjects = find_subjects([sources[0], sources[1] | {"prefix": "0_"}], ["t1"])
    assert {name: subject.labels for name, subject in subjects.items()} == {
        "0_a": "brats2023",
        "0_b": "brats2023",
        "a": "brats2020",
    }
    assert list(subjects) == ["0_a", "0_b", "a"]
    touch(tmp_path / "z", "HGG/a/a_t1.nii.gz", "LGG/a/a_t1.nii.gz")
    with pytest.raises(ValueError, match=r"data: a lies in .*/HGG/a and in .*/LGG/a"):
        found(tmp_path / "z")


def test_layout_says_what_it_expected(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere does not exist; give the folder"):
        found(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no known layout in .*; looked for SUBJECT/SUBJECT_flair.*; found nothing$"):
        found(tmp_path)
    touch(tmp_path, "a/image.dcm", "read.me")
    with pytest.raises(ValueError, match=r"found 1 folders \(a\) and 1 files \(read.me\)$"):
        found(tmp_path)
    with pytest.raises(ValueError, match=r"read.me is a file; give the subjects' folder, or a .tsv or .csv"):
        found(tmp_path / "read.me")
    for layout, expected in [
        ("brats", "SUBJECT_flair"),
        ("msd", "dataset.json"),
        ("bids", "sub-"),
        ("table", "cohort.tsv"),
    ]:
        with pytest.raises(ValueError, match=f"no .* in .*; expected .*{expected}.*; found 1 folders"):
            found(tmp_path, layout=layout)
    touch(tmp_path, "b/VSD.Brain.XX.O.MR_T1.1/VSD.Brain.XX.O.MR_T1.1.mha")
    with pytest.raises(ValueError, match=r"expected one NIfTI image in it, found VSD.Brain.XX.O.MR_T1.1.mha"):
        found(tmp_path)
    with pytest.raises(ValueError, match=r"layout: 'brats9' is not known; known are auto, brats, brats2013, brats2023"):
        found(tmp_path, layout="brats9")
    with pytest.raises(ValueError, match=r"labels: 'brats9' is not known; known are auto, brats2013"):
        found(tmp_path, labels="brats9")
    with pytest.raises(ValueError, match=r"prefix: 'a/' would make folders of names"):
        found(tmp_path, prefix="a/")


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    touch(tmp_path, "a/a_t1.nii", "b/b_t1.nii")
    scandir = os.scandir

    def forbidding(folder):
        if folder == f"{tmp_path}/a":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", forbidding)
    source = read_source(PLAIN | {"folder": tmp_path}, [])
    assert list(source.subjects) == ["b"]
    assert source.notes == [f"{tmp_path}/a cannot be listed (Permission denied); left out"]
    monkeypatch.setattr(Path, "stat", lambda *arguments, **options: forbidding(f"{tmp_path}/a"))
    with pytest.raises(ValueError, match=r"cannot be looked at \(Permission denied\)"):
        found(tmp_path)


def test_a_working_directory_that_is_the_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(touch(tmp_path, "a/a_t1.nii.gz"))
    assert found(".")["a"].files["t1"].path == f"{tmp_path}/a/a_t1.nii.gz"
    assert found("a")["a"].files["t1"].path == "a/a_t1.nii.gz"
    (tmp_path / "cohort.tsv").write_text("subject\tt1\nx\t./a/a_t1.nii.gz\n")
    assert found("./")["x"].files["t1"].path == f"{tmp_path}/a/a_t1.nii.gz"
    assert found("cohort.tsv")["x"].files["t1"].path == "a/a_t1.nii.gz"


def test_finding_lists_folders_and_opens_no_image(tmp_path, monkeypatch):
    names = [f"case_{number:05d}" for number in range(300)]
    touch(tmp_path, *(f"HGG/{name}/{name}_{part}.nii.gz" for name in names for part in (*MODALITIES, MASK)))
    listed, scandir = [], os.scandir

    def counted(folder):
        listed.append(folder)
        return scandir(folder)

    def refuse(self, *arguments, **options):
        raise AssertionError(f"{self} is opened")

    monkeypatch.setattr(os, "scandir", counted)
    monkeypatch.setattr(Path, "open", refuse)
    assert len(found(tmp_path, layout="brats")) == 300
    assert len(listed) == 300 + 3  # the root, the folder above it, HGG
    listed.clear()
    assert len(found(tmp_path)) == 300
    assert len(listed) <= 300 + 10


def test_layouts_command_describes_a_folder(tmp_path):
    write_cohort(tmp_path / "a", "2020")
    (
        tmp_path / "a" / "MICCAI_BraTS2020_TrainingData" / "BraTS20_Training_001" / "BraTS20_Training_001_t2.nii.gz"
    ).unlink()
    touch(tmp_path / "b", *(f"s{number:02d}/s{number:02d}_flair.nii" for number in range(13)), "s00/s00_t1.nii")
    result = CliRunner().invoke(main, [str(tmp_path / "a"), str(tmp_path / "b")])
    assert result.exit_code == 0, result.output
    first, second = result.output.split(f"{tmp_path / 'b'}\n")
    for line in (
        "layout     brats\n",
        "labels     brats2020 2\n",
        "subjects   2\n",
        "modalities flair 2, t1 2, t1ce 2, t2 1\n",
        "masks      2\n",
        "covariates age 1, extent_of_resection 1, grade 2, survival_days 1\n",
        "missing    BraTS20_Training_001 (t2)\n",
    ):
        assert f"  {line}" in first
    assert "MB for the arrays of all (1 measured; crop: brain, 1 mm)" in first
    assert "s10 (t1), and 2 more\n" in second
    assert "no subject with all modalities could be read" in second
    result = CliRunner().invoke(main, [str(tmp_path / "none"), str(tmp_path / "b"), "--modalities", "flair"])
    assert result.exit_code == 1
    assert "modalities flair 13, t1 1\n" in result.output
    assert "none does not exist" in result.output
    for words, sentence in [
        ([], "give the folder of a data set"),
        (["--source", "3"], "3 is no source"),
        (["--source", '{"layout": "auto"}'], "is no source; expected JSON with folder"),
        (["--source", '{"folder": "x", "prefix": 3}'], "is no source; expected JSON with folder"),
        (["--source", "{"], "is no source; expected JSON with folder"),
    ]:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2
        assert sentence in result.output


def test_the_disk_forecast_is_what_preprocessing_writes(tmp_path):
    source = write_cohort(tmp_path, "msd", spacing_mm=(1.0, 1.0, 2.0))
    subjects = find_subjects([source], list(MODALITIES))
    size, measured = forecast_bytes(subjects, list(MODALITIES), 1.0)
    written = sum(array.nbytes for name in subjects for array in preprocessed(name, subjects[name])[1].values())
    assert measured == 2
    assert size == pytest.approx(written, rel=0.1)
    assert forecast_bytes({}, list(MODALITIES), 1.0)[1] == 0


def test_the_table_that_layouts_writes_is_a_layout_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = [write_cohort(Path("a"), "msd"), write_cohort(tmp_path / "b", "2020") | {"prefix": "old_"}]
    options = [word for source in sources for word in ("--source", json.dumps(source))]
    options += [word for name in ("t1ce", "flair") for word in ("--modalities", name)]
    result = CliRunner().invoke(main, [*options, "--output", "results/layouts/subjects.tsv"])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "results" / "layouts" / "subjects.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:6] == ["subject", "labels", "t1ce", "flair", "seg", "age"]
    assert lines[1].split("\t")[:3] == ["BRATS_001", "msd", "../../a/imagesTr/BRATS_001.nii.gz:2"]
    subjects = find_subjects(sources, ["t1ce", "flair"])
    again = found("results/layouts/subjects.tsv", ["t1ce", "flair"])
    assert (
        list(again)
        == list(subjects)
        == ["BRATS_001", "BRATS_002", "old_BraTS20_Training_001", "old_BraTS20_Training_355"]
    )
    for name, (files, labels, covariates) in again.items():
        assert (labels, covariates) == subjects[name][1:]
        assert {part: (Path(file.path).resolve(), file.volume) for part, file in files.items()} == {
            part: (Path(file.path).resolve(), file.volume) for part, file in subjects[name].files.items()
        }
