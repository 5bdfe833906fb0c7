"""With predict: layout: bids, the workflow also writes its segmentations as a data set of BIDS derivatives."""

import re
from collections import Counter

import pytest
import yaml
from derivatives import insist_on_bids
from studies import TINY, Workflow, write_subject

from glioseg.files import read_json, read_table

PARTS = {"flair": "FLAIR", "t1": "T1w", "t1ce": "ce-gd_T1w", "t2": "T2w"}
DATA_SET = {"README.md", "dataset_description.json", "dseg.json", "dseg.tsv", "participants.json", "participants.tsv"}


def planned(run, *words):
    """The number of jobs of each rule that a run would start."""
    done = run.run("predict_all", "--dry-run", *words)
    assert done.returncode == 0, done.stderr
    return Counter({rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M) if rule != "total"})


def chosen(run, **predict):
    """Run on with other settings of predict."""
    settings = yaml.safe_load(run.settings.read_text())
    run.settings.write_text(yaml.safe_dump(settings | {"predict": settings.get("predict", {}) | predict}))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study of four subjects, one of them held out."""
    folder = tmp_path_factory.mktemp("study")
    for number in range(1, 5):
        write_subject(folder / "data", number)
    (folder / "workflow").mkdir()
    run = Workflow(folder / "workflow", {**TINY, "data": str(folder / "data"), "predict": {"layout": "bids"}})
    done = run.run("predict_all")
    assert done.returncode == 0, done.stdout + done.stderr
    return run


def test_the_data_set_has_the_segmentations_of_the_study(study):
    (segmentation,) = (study / "predict").glob("*.nii.gz")
    subject = segmentation.name.removesuffix(".nii.gz")
    name = f"sub-{subject.replace('_', '')}"
    assert {path.name for path in (study / "bids").iterdir()} == {*DATA_SET, name}
    anat = study / f"bids/{name}/anat"
    ends = ["desc-glioseg_dseg", *(f"label-{region}_desc-glioseg_probseg" for region in ("WT", "TC", "ET"))]
    stems = {end: f"{name}_space-orig_{end}" for end in ends}
    assert {path.name for path in anat.iterdir()} == {
        f"{stem}{end}" for stem in stems.values() for end in (".nii.gz", ".json")
    }
    assert (anat / f"{stems[ends[0]]}.nii.gz").read_bytes() == segmentation.read_bytes()
    tumor = study / f"predict/maps/{subject}/TC.nii.gz"
    assert (anat / f"{stems[ends[2]]}.nii.gz").read_bytes() == tumor.read_bytes()
    assert [row["patient"] for row in read_table(study / "bids/participants.tsv")] == [subject]
    assert not planned(study)


def test_a_new_subject_has_its_own_jobs_and_the_layout_changes_no_prediction(study):
    try:
        chosen(study, layout="plain")
        assert not planned(study)
        refused = study.run("results/bids/dseg.tsv", "--forcerun", "bids", "--dry-run")
        assert "results/bids requires predict: layout: bids" in refused.stdout + refused.stderr
        chosen(study, layout="bids")
        for mask in write_subject(study.folder.parent / "data", 9).glob("*_seg.nii.gz"):
            mask.unlink()
        path = "results/bids/sub-case09/anat/sub-case09_space-orig_desc-glioseg_dseg.nii.gz"
        done = study.run(path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert (study.folder / path).read_bytes() == (study / "predict/case_09.nii.gz").read_bytes()
        assert planned(study) == {"bids": 1, "predict_all": 1}
        done = study.run("predict_all")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "case_09" in (study / "bids/participants.tsv").read_text()
    finally:
        chosen(study, layout="bids")


def test_names_that_would_be_equal_end_the_run_unless_one_is_left_out(study, tmp_path):
    for number in (1, 2):
        write_subject(tmp_path / "data", number)
    case = tmp_path / "data/case_02"
    for path in case.iterdir():
        path.rename(path.with_name(path.name.replace("case_02", "case-01")))
    case.rename(tmp_path / "data/case-01")
    (tmp_path / "workflow").mkdir()
    run = Workflow(tmp_path / "workflow", {**TINY, "data": str(tmp_path / "data"), "predict": {"layout": "bids"}})
    done = run.run("predict_all", "--dry-run")
    assert done.returncode != 0
    assert "the patients case-01 and case_01 the same name, sub-case01" in done.stdout + done.stderr
    done = run.run("predict_all", "--dry-run", "--config", "exclude=[case-01]")
    assert done.returncode == 0, done.stdout + done.stderr
    unknown = study.run("results/bids/sub-case01/anat/sub-case02_space-orig_desc-glioseg_dseg.nii.gz", "--dry-run")
    assert "sub-case01/anat/sub-case02 is none of the" in unknown.stdout + unknown.stderr


def write_raw(folder, name, number):
    """A tiny subject without a mask as raw data in BIDS."""
    place = folder / name.replace("_", "/") / "anat"
    place.mkdir(parents=True)
    for path in write_subject(folder / "sourcedata", number).iterdir():
        part = path.name.removesuffix(".nii.gz").rpartition("_")[2]
        if part in PARTS:
            path.rename(place / f"{name}_{PARTS[part]}.nii.gz")


def test_another_cohort_in_bids_keeps_its_names(study, tmp_path):
    raw = tmp_path / "raw"
    names = ("sub-01_ses-a", "sub-01_ses-b", "sub-02")
    for number, name in enumerate(names, start=5):
        write_raw(raw, name, number)
    (raw / "dataset_description.json").write_text('{"Name": "raw", "BIDSVersion": "1.8.0", "DatasetDOI": "doi:10.0/a"}')
    (tmp_path / "workflow").mkdir()
    settings = {"data": str(raw), "models": str(study.folder / "results"), "predict": {"layout": "bids", "maps": []}}
    run = Workflow(tmp_path / "workflow", settings)
    done = run.run("predict_all")
    assert done.returncode == 0, done.stdout + done.stderr
    end = "space-orig_desc-glioseg_dseg"
    assert {str(path.relative_to(run / "bids")) for path in (run / "bids").rglob("*.nii.gz")} == {
        f"{name.replace('_', '/')}/anat/{name}_{end}.nii.gz" for name in names
    }
    facts = read_json(run / "bids/dataset_description.json")
    assert facts["SourceDatasets"] == [{"DOI": "doi:10.0/a"}] and facts["GeneratedBy"][0]["Name"] == "glioseg"
    # In the data set itself, the predictions are no masks of the next run.
    (raw / "derivatives").mkdir()
    (run / "bids").rename(raw / "derivatives/glioseg")
    done = run.run("results/layouts/notes.tsv", "--forcerun", "layouts")
    assert done.returncode == 0, done.stdout + done.stderr
    (note,) = [row["note"] for row in read_table(run / "layouts/notes.tsv") if "glioseg" in row["note"]]
    assert note.endswith("derivatives/glioseg holds segmentations that glioseg predicted; they are not read as masks")
    assert {row["seg"] for row in read_table(run / "layouts/subjects.tsv")} == {""}
    insist_on_bids(raw / "derivatives/glioseg")


def test_the_validator_of_bids_accepts_the_data_set_of_a_study(study):
    insist_on_bids(study / "bids")
