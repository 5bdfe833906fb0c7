"""Another cohort is segmented with finished models: nothing is trained, and the run ends in the same report."""

import shutil
import subprocess
import sys

import pytest
from studies import ROOT, TINY, Workflow, write_subject

from glioseg.files import read_table, write_json


def write_cohort(folder, numbers, masks=True):
    """Tiny subjects by number, or without their masks."""
    for number in numbers:
        subject = write_subject(folder, number)
        if not masks:
            (subject / f"{subject.name}_seg.nii.gz").unlink()
    return folder


def renamed(folder, old, new):
    """Give a subject another name, as another hospital would."""
    for path in (folder / old).iterdir():
        path.rename(path.with_name(path.name.replace(old, new)))
    (folder / old).rename(folder / new)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished study of two folds; its folder."""
    folder = tmp_path_factory.mktemp("A")
    data = write_cohort(folder / "data", range(1, 5))
    (folder / "workflow").mkdir()
    study = Workflow(folder / "workflow", {**TINY, "data": str(data), "split": {"folds": 2, "test_percent": 0}})
    done = study.run("train_all")
    assert done.returncode == 0, done.stderr
    return study


@pytest.fixture
def external(tmp_path, trained):
    """A function that runs the workflow on a data folder with the models of the finished study."""

    def make(data, **settings):
        (tmp_path / "workflow").mkdir(exist_ok=True)
        study = {"data": str(data), "models": str(trained.folder / "results"), "summarize": {"bootstrap": 50}}
        return Workflow(tmp_path / "workflow", {**study, **settings})

    return make


def test_another_cohort_is_segmented_and_scored_with_finished_models(tmp_path, trained, external):
    data = write_cohort(tmp_path / "data", [1, 7, 8])
    renamed(data, "case_01", "known")
    write_cohort(data, [9], masks=False)
    run = external(data)
    done = run.run()
    assert done.returncode == 0, done.stderr
    assert not (run / "train").exists() and not (run / "baseline").exists()
    rows = {row["subject"]: row for row in read_table(run / "split/cohort.tsv")}
    assert {name: row["fold"] for name, row in rows.items()} == {
        "case_07": "test",
        "case_08": "test",
        "case_09": "new",
        "known": "train",
    }
    assert "training subject case_01), so it is neither predicted nor scored" in rows["known"]["reason"]
    assert {path.name for path in (run / "predict").glob("*.nii.gz")} == {
        f"case_0{number}.nii.gz" for number in (7, 8, 9)
    }
    assert {(row["method"], row["n"]) for row in read_table(run / "summarize/scores.tsv")} == {("network", "2")}
    assert [row["subject"] for row in read_table(run / "summarize/volumes.tsv")] == ["case_07", "case_08", "case_09"]
    report = (run / "report/index.html").read_text()
    first = report[report.index("<header>") : report.index("</header>")]
    assert "External cohort." in first and "2 finished models, which learned from 4 subjects" in first
    assert all(str(trained.folder / f"results/train/{fold}") in first for fold in "01")
    assert "1 subject known to a model, and not predicted" in report
    assert "network" in report and "Learning curves" not in report
    assert "Nothing to be done" in run.run().stderr
    # The same scan without the workflow.
    words = [
        sys.executable,
        ROOT / "scripts/segment.py",
        "--subject",
        data / "case_09",
        "--output",
        tmp_path / "a.nii.gz",
    ]
    words += [word for fold in "01" for word in ("--model", trained / f"train/{fold}/model.keras")]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.nii.gz").read_bytes() == (run / "predict/case_09.nii.gz").read_bytes()
    # A bundle of the models, and its card.
    bundle = tmp_path / "a.glioseg.zip"
    words = [sys.executable, ROOT / "scripts/export.py", trained.folder / "results", "--output", bundle]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words = ("--config", f"models={bundle}", "results=bundled")
    done = run.run("bundled/predict/case_09.nii.gz", "bundled/split/cohort.tsv", "bundled/plot/network.png", *words)
    assert done.returncode == 0, done.stderr
    assert (run.folder / "bundled/predict/case_09.nii.gz").read_bytes() == (tmp_path / "a.nii.gz").read_bytes()
    known = {row["subject"]: row["reason"] for row in read_table(run.folder / "bundled/split/cohort.tsv")}["known"]
    assert known.startswith(f"the model {bundle}/train/") and "case_01" not in known
    refused = run.run("results/predict/known.nii.gz")
    assert refused.returncode == 1 and "known cannot be predicted: the model" in refused.stderr


def test_a_cohort_without_masks_ends_in_a_report_of_volumes(tmp_path, external):
    data = tmp_path / "data"
    write_cohort(data, [7, 8], masks=False)
    for old, new in (("case_07", "BraTS-GLI-00007-000"), ("case_08", "BraTS-GLI-00007-001")):
        renamed(data, old, new)
    run = external(data)
    done = run.run()
    assert done.returncode == 0, done.stderr
    assert "No subject was scored" in done.stdout
    assert sorted(path.stem for path in (run / "plot").glob("*.png")) == ["network", "visits"]
    report = (run / "report/index.html").read_text()
    assert "External cohort." in report and "this report has no scores" in report
    assert report.count("BraTS-GLI-00007-001</a></h4>") == 1 and ">WT, ml</button>" in report


def test_settings_that_contradict_the_models_end_before_any_job(tmp_path, trained, external):
    data = write_cohort(tmp_path / "data", [7])
    run = external(data)

    def refused(*words):
        done = run.run("--dry-run", "--config", *words)
        assert done.returncode == 1 and "Traceback" not in done.stderr
        return done.stdout + done.stderr

    assert "normalization: minmax contradicts" in refused("preprocess={normalization: minmax}")
    assert "is in the results folder of this study" in refused(f"results={trained.folder / 'results'}")
    assert "nowhere" in refused("models=nowhere")


def test_prediction_uses_the_thresholds_that_the_study_of_the_models_chose(tmp_path, trained, external):
    shutil.copytree(trained / "train", tmp_path / "models/train")
    chosen = {"smallest_enhancing_ml": 1.25, "smallest_component_ml": 0.75}
    write_json(tmp_path / "models/tune_postprocess/all.json", chosen)
    run = external(write_cohort(tmp_path / "data", [7]), models=str(tmp_path / "models"))
    assert run.run("prepare").returncode == 0

    def planned(*words):
        return run.run("--dry-run", "--printshellcmds", "results/predict/case_07.nii.gz", *words).stdout

    assert " --smallest-enhancing-ml 1.25 --smallest-component-ml 0.75 " in planned()
    # The user's own choice counts more.
    assert " --smallest-enhancing-ml 0.3 " in planned("--config", "predict={smallest_enhancing_ml: 0.3}")
