"""Faults of the whole workflow: Snakemake killed or run twice at once, wrong clocks, unusual names."""

import os
import random
import signal
import subprocess
import time

import pytest
from click.testing import CliRunner
from studies import TINY, Workflow, failing, write_subject

import layouts
from faults.matrix import SURVIVED
from glioseg.files import read_table
from glioseg.workflow.failures import FAILURE_COLUMNS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    for number in range(1, 7):
        write_subject(folder, number)
    return folder


def workflow_in(folder, data, **settings):
    folder.mkdir()
    return Workflow(folder, {**TINY, "data": str(data), **settings})


def arrays(run):
    return {
        str(path.relative_to(run / "preprocess")): path.read_bytes() for path in (run / "preprocess").rglob("*.npy")
    }


def table(run):
    return (run / "split/cohort.tsv").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    run = workflow_in(tmp_path_factory.mktemp("undisturbed") / "run", data)
    done = run.run("prepare")
    assert done.returncode == 0, done.stderr
    return arrays(run), table(run)


def start(run, *words):
    return subprocess.Popen(
        run.command(*words), cwd=run.folder, env=run.environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_for(condition, process):
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def ends_as(undisturbed, run):
    """Run `prepare` again and check that the results equal those of an undisturbed run."""
    done = run.run("prepare")
    assert done.returncode == 0, done.stderr
    assert (arrays(run), table(run)) == undisturbed


@pytest.mark.parametrize("number", range(3))
def test_snakemake_killed_while_its_jobs_go_on(slow, data, undisturbed, matrix, tmp_path, number):
    run = workflow_in(tmp_path / "run", data)
    process = start(run, "prepare")
    wait_for((run / "logs").exists, process)
    time.sleep(random.Random(number).uniform(0, 3))
    process.kill()
    process.communicate()
    assert run.run("--unlock").returncode == 0
    ends_as(undisturbed, run)
    matrix.record("kill -9 of Snakemake itself", "prepare", SURVIVED)


def test_ctrl_c(slow, data, undisturbed, matrix, tmp_path):
    run = workflow_in(tmp_path / "run", data)
    process = start(run, "prepare")
    # Stop it while the first jobs run; after the last one would be too late.
    wait_for(lambda: list(run.folder.glob("results/logs/preprocess/*.log")), process)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate()[0]
    assert process.returncode, said
    ends_as(undisturbed, run)
    matrix.record("Ctrl-C", "prepare", SURVIVED)


def test_two_at_once(slow, data, undisturbed, matrix, tmp_path):
    run = workflow_in(tmp_path / "run", data)
    process = start(run, "prepare")
    wait_for((run / "logs").exists, process)
    second = run.run("prepare")
    matrix.explained("two Snakemakes at once", "prepare", second, "cannot be locked")
    said = process.communicate()[0]
    assert process.returncode == 0, said
    assert (arrays(run), table(run)) == undisturbed


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_that_disagree(slow, data, undisturbed, matrix, tmp_path, hours):
    """Scans from another machine, whose clock is an hour ahead or behind."""
    before = {path: path.stat().st_mtime for path in data.rglob("*.nii.gz")}
    try:
        for path in before:
            os.utime(path, (time.time() + 3600 * hours,) * 2)
        run = workflow_in(tmp_path / "run", data)
        ends_as(undisturbed, run)
        assert "Nothing to be done" in run.run("prepare").stderr
        matrix.record(
            f"clock of the data's machine {abs(hours)} h {'ahead' if hours > 0 else 'behind'}", "prepare", SURVIVED
        )
    finally:
        for path, seconds in before.items():
            os.utime(path, (seconds, seconds))


ODD = {"spaces and quotes": """a "b" 'c' $(touch sprung) `touch sprung`; touch sprung &""", "unicode": "Übung 脳 🧠"}


@pytest.mark.parametrize("kind", ODD)
def test_odd_paths(slow, undisturbed, matrix, tmp_path, kind):
    data = tmp_path / ODD[kind]
    for number in range(1, 7):
        write_subject(data, number)
    run = workflow_in(tmp_path / "run", data, results=f"results/{ODD[kind]}")
    done = run.run("prepare")
    assert done.returncode == 0, done.stderr
    found = {
        str(path.relative_to(run / ODD[kind] / "preprocess")): path.read_bytes()
        for path in (run / ODD[kind] / "preprocess").rglob("*.npy")
    }
    assert found == undisturbed[0]
    assert not list(tmp_path.rglob("sprung"))
    matrix.record(f"path with {kind}", "prepare", SURVIVED)


def test_a_path_with_a_line_break(slow, matrix, tmp_path):
    data = tmp_path / "two\nlines"
    for number in range(1, 7):
        write_subject(data, number)
    done = workflow_in(tmp_path / "run", data).run("prepare")
    if done.returncode:
        matrix.explained("path with a line break", "prepare", done, "line break")
    else:
        matrix.record("path with a line break", "prepare", SURVIVED)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", "a/b"])
def test_a_subject_named_like_a_path(data, matrix, tmp_path, name):
    files = "\t".join(str(data / f"case_01/case_01_{part}.nii.gz") for part in ("flair", "t1", "t1ce", "t2", "seg"))
    (tmp_path / "cohort.tsv").write_text(f"subject\tflair\tt1\tt1ce\tt2\tseg\tlabels\n{name}\t{files}\tbrats2020\n")
    result = CliRunner().invoke(layouts.layouts, [str(tmp_path / "cohort.tsv")])
    done = subprocess.CompletedProcess([], result.exit_code, result.output, "")
    matrix.explained("subject named like a path", "layouts", done, name)


def test_no_network_and_no_home(slow, data, undisturbed, matrix, tmp_path):
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("needs a process without network, which this account may not start (unshare -n)")
    run = workflow_in(tmp_path / "run", data)
    environment = run.environment | {"HOME": "/nonexistent"}
    done = subprocess.run(
        ["unshare", "-n", *run.command("prepare")], cwd=run.folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (arrays(run), table(run)) == undisturbed
    matrix.record("no network, no home folder", "prepare", SURVIVED)


def test_a_failing_prediction_can_be_skipped(slow, data, matrix, tmp_path):
    """Run the whole workflow with one failing prediction: report on the other subjects, and later on all of them."""
    run = workflow_in(tmp_path / "run", data, split={"folds": 1, "test_percent": 50})
    assert run.run("prepare").returncode == 0
    scored = [row["subject"] for row in read_table(run / "split/cohort.tsv") if row["fold"] == "test"]
    assert len(scored) == 3
    python = failing(run, ["predict.py", scored[0]])
    failed = run.run("--retries", "1")
    matrix.explained("a prediction killed twice", "all", failed, f"predict {scored[0]} (2 times): Error: out of memory")
    assert not (run / "report/index.html").exists()
    row = read_table(run / "summarize/failures.tsv", FAILURE_COLUMNS)[0]
    assert (row["rule"], row["subject"], row["times"]) == ("predict", scored[0], "2")
    survived = run.run("--config", "skip_failed=True")
    assert survived.returncode == 0, survived.stderr
    page = (run / "report/index.html").read_text()
    assert "The scores cover 2 of the 3 subjects to be scored" in page
    assert {row["n"] for row in read_table(run / "summarize/scores.tsv") if row["region"] == "WT"} == {"2"}
    python.unlink()
    done = run.run()
    assert done.returncode == 0, done.stderr
    assert "failed, and the run continued" not in (run / "report/index.html").read_text()
    assert {row["n"] for row in read_table(run / "summarize/scores.tsv") if row["region"] == "WT"} == {"3"}
    matrix.record("a prediction killed twice", "all", SURVIVED)
