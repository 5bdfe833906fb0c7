"""A study whose subjects lie on grids of their own, as a scanner gives them, runs up to its scores."""

import json

import nibabel as nib
import numpy as np
import pydicom
import pytest
from dicoms import write_series
from studies import MODALITIES, tiny_subject, write_subject

from glioseg.files import COVARIATE, read_table, write_table
from glioseg.volumes.nifti import read_volume


@pytest.fixture
def raw(tmp_path):
    """Five tiny subjects. Of case_02, one series has other axes; that of case_03 is damaged; case_04 lacks one."""
    for number in range(1, 6):
        write_subject(tmp_path / "data", number)
    images, _ = tiny_subject(2)
    flair = np.transpose(images["flair"], (1, 2, 0))
    affine = np.array([[0.0, 0, -1, 0], [-1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image(flair, affine), tmp_path / "data/case_02/case_02_flair.nii.gz")
    (tmp_path / "data/case_03/case_03_t1.nii.gz").write_bytes(b"")
    (tmp_path / "data/case_04/case_04_t2.nii.gz").unlink()
    return tmp_path / "data"


def with_dicom(raw, tmp_path):
    """A table of the subjects, with DICOM slices of T1 in place of the NIfTI file, where that can be read."""
    rows = []
    for folder in sorted(raw.iterdir()):
        files = {name: folder / f"{folder.name}_{name}.nii.gz" for name in (*MODALITIES, "seg")}
        row = {"subject": folder.name} | {name: str(path) for name, path in files.items() if path.exists()}
        if files["t1"].stat().st_size:
            voxels, affine = read_volume(files["t1"])
            row["t1"] = str(
                write_series(tmp_path / f"dicom/{folder.name}", voxels, affine, "t1", FrameOfReferenceUID="1.2")
            )
        rows.append(row)
    columns = ["subject", *MODALITIES, "seg"]
    write_table(tmp_path / "subjects.tsv", columns, rows, dict.fromkeys(columns, COVARIATE))
    return tmp_path / "subjects.tsv"


def rows_of(run):
    return {row["subject"]: row for row in read_table(run / "split/cohort.tsv")}


def test_subjects_on_grids_of_their_own_are_excluded_until_they_are_registered(raw, workflow, tmp_path):
    run = workflow(raw)
    done = run.run("prepare")
    assert done.returncode == 0, done.stderr
    row = rows_of(run)["case_02"]
    assert row["verdict"] == "excluded" and "set register: mode to auto" in row["reason"]
    assert not (run / "register").exists() and "rule register" not in done.stdout + done.stderr

    data = with_dicom(raw, tmp_path)
    run = workflow(
        data, register={"mode": "auto"}, labels="brats2020", split={"test_percent": 60}, report={"viewer": "all"}
    )
    done = run.run()
    assert done.returncode == 0, done.stderr
    rows = rows_of(run)
    assert [name for name, row in rows.items() if row["verdict"] == "excluded"] == ["case_03", "case_04"]
    assert "case_03_t1.nii.gz" in rows["case_03"]["reason"] and rows["case_03"]["checks"] == "refused"
    assert rows["case_04"]["reason"].startswith("no file for t2")
    facts = {name: json.loads((run / f"register/{name}/register.json").read_text()) for name in rows}
    assert [name for name, of in facts.items() if of["registered"]] == ["case_02"]
    assert (run / "register/case_02/register.png").exists()
    # What later jobs read is on one grid, and what was there before is there still.
    moved, _ = read_volume(run / "register/case_02/flair.nii.gz")
    still = tiny_subject(2)[0]["flair"]
    assert (np.abs(moved - still) < 1).mean() > 0.99
    table = {row["subject"]: row for row in read_table(run / "layouts/subjects.tsv")}
    assert table["case_02"]["flair"] == "../register/case_02/flair.nii.gz"
    for name in [name for name, row in rows.items() if row["fold"] == "test"]:
        scored = json.loads((run / f"evaluate/{name}.json").read_text())
        assert scored["regions"]["WT"]["dice"] >= 0
        assert nib.load(run / f"predict/{name}.nii.gz").shape == (40, 44, 36)
        # An object of DICOM beside the label map of the series that is one, which refers to it.
        assert [path.name for path in (run / f"own_grids/{name}").glob("*.dcm")] == ["t1.dcm"]
        segmented = pydicom.dcmread(run / f"own_grids/{name}/t1.dcm")
        source = pydicom.dcmread(next((tmp_path / f"dicom/{name}").iterdir()))
        assert segmented.ReferencedSeriesSequence[0].SeriesInstanceUID == source.SeriesInstanceUID
        for modality in MODALITIES:
            series = nib.load(raw / f"{name}/{name}_{modality}.nii.gz")
            labels = nib.load(run / f"own_grids/{name}/{modality}.nii.gz")
            assert labels.shape == series.shape and np.allclose(labels.affine, series.affine)
    # The only subject that was moved is in the report's ranking, and its page shows how.
    assert 'aria-label="Registered subjects"' in (run / "report/index.html").read_text()
    if (run / "report/subjects/case_02.html").exists():
        assert "Registered to t1ce, because the series are on" in (run / "report/subjects/case_02.html").read_text()
    again = run.run("--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_a_folder_of_brain_masks_that_does_not_exist_stops_the_run(raw, workflow):
    done = workflow(raw, register={"mode": "auto", "strip": "nowhere"}).run("--dry-run")
    assert done.returncode == 1
    printed = done.stdout + done.stderr
    assert (
        "register: strip: nowhere is no folder; expected none, network, or the folder with a mask of the brain"
        in printed
    )
