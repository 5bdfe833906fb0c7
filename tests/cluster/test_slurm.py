"""Run the workflow through a real Slurm of three nodes on this machine, with failing nodes: make test-cluster."""

import importlib.util
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py
import pytest
from studies import TINY, Workflow, write_subject

SCRIPT = Path(__file__).with_name("slurm")
SUBJECTS = [f"case_{number:02d}" for number in range(1, 7)]
# Enough epochs for a node to fail between two of them.
STUDY = TINY | {"split": {"folds": 2, "test_percent": 25}, "train": TINY["train"] | {"epochs": 60}}
# Poll more often than one should on a shared cluster.
IMPATIENT = ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
IMPATIENT += ["--latency-wait", "5"]


def missing() -> str:
    """The reason why no cluster can be started here, or an empty text."""
    if os.geteuid() != 0:
        return "the test cluster must be started as root"
    tools = [tool for tool in ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd") if not shutil.which(tool)]
    if tools:
        return f"{', '.join(tools)} not found: apt-get install slurm-wlm slurmdbd munge mariadb-server"
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return "Snakemake's Slurm plugin is not installed: make slurm"
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


class Cluster:
    """The test cluster, started by the script `slurm` in this folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __call__(self, verb: str, *words: str) -> None:
        subprocess.run([SCRIPT, verb, self.folder, *words], check=True, timeout=120)

    def jobs(self, since: float) -> list[dict[str, str]]:
        """Accounted jobs since a time (s), in the order of submission: state, node and requested resources."""
        fields = "JobID,State,NodeList,ReqTRES"
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
        words = ["sacct", "-X", "-n", "-P", "--duplicates", f"--starttime={start}", f"--format={fields}"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        return [dict(zip(fields.split(","), line.split("|"), strict=True)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def cluster():
    # Not in pytest's temporary folder, which the database user may not enter.
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    folder.chmod(0o755)
    made = Cluster(folder)
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    try:
        made("start")
        yield made
    finally:
        made("stop")
        shutil.rmtree(folder, ignore_errors=True)


def study(folder: Path) -> Workflow:
    """Write six tiny subjects and return a workflow on them."""
    for number in range(1, len(SUBJECTS) + 1):
        write_subject(folder / "data", number)
    (folder / "workflow").mkdir()
    return Workflow(folder / "workflow", {**STUDY, "data": str(folder / "data")})


class Running:
    """The workflow through Slurm, running in the background; its output goes to `log`."""

    def __init__(self, workflow: Workflow, *words: str):
        self.since = time.time()
        self.workflow = workflow
        self.log = workflow.folder / "printed.log"
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "slurm", *IMPATIENT, *words]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--configfile", workflow.settings],
                cwd=workflow.folder,
                env=workflow.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def until(self, ready, seconds: float = 180):
        """Wait until `ready()` is true, and return its value."""
        deadline = time.monotonic() + seconds
        while not (found := ready()):
            assert self.process.poll() is None, f"the run ended before this happened:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"this did not happen:\n{self.log.read_text()}"
            time.sleep(0.1)
        return found

    def end(self, seconds: float = 400) -> str:
        """Wait for the run to end, and return its output."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            code = "none: the run did not end"
        printed = self.log.read_text()
        assert code == 0, f"exit code {code}\n{printed}"
        return printed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The same study, run on this machine without Slurm."""
    workflow = study(tmp_path_factory.mktemp("undisturbed"))
    done = workflow.run("predict_all", "--cores", "all")
    assert done.returncode == 0, done.stderr
    return workflow


def assert_same(undisturbed: Workflow, workflow: Workflow, *patterns: str) -> None:
    for pattern in patterns:
        expected = sorted(path.relative_to(undisturbed / "") for path in (undisturbed / "").glob(pattern))
        assert expected, f"nothing matches {pattern}"
        for name in expected:
            assert (workflow / str(name)).read_bytes() == (undisturbed / str(name)).read_bytes(), name


def weights(model: Path) -> dict[str, bytes]:
    """The weights of a model by name. (The file also contains the time, so it cannot be compared.)"""
    found = {}
    with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()].tobytes()}) if hasattr(item, "shape") else None)
    assert len(found) > 10
    return found


def devices(folder: Path) -> dict[str, str]:
    """CUDA_VISIBLE_DEVICES of each training now running in a folder, by fold."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
            if words[1:] and words[1].endswith("scripts/train.py") and (process / "cwd").resolve() == folder:
                environment = dict(re.findall(r"(\w+)=([^\0]*)", (process / "environ").read_text()))
                found[words[words.index("--fold") + 1]] = environment.get("CUDA_VISIBLE_DEVICES", "none")
        except OSError:
            continue
    return found


def test_the_whole_workflow(cluster, undisturbed, tmp_path):
    """Subjects run as arrays of three, each fold trains on a different GPU, and the results are bit-identical."""
    workflow = study(tmp_path)
    running = Running(workflow, "--slurm-array-limit", "3")
    gpus = {}
    running.until(lambda: len(gpus.update(devices(workflow.folder)) or gpus) == 2)
    printed = running.end()
    assert sorted(gpus) == ["0", "1"]
    assert sorted(gpus.values()) == ["0", "1"]
    jobs = cluster.jobs(running.since)
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    on_gpus = [job for job in jobs if "gres/gpu=1" in job["ReqTRES"]]
    assert [job["NodeList"] for job in on_gpus] == ["gpu1", "gpu1"]
    assert all(job["NodeList"].startswith("cpu") for job in jobs if job not in on_gpus)
    # Jobs that are ready at the same time share an array: preprocess has two. Jobs after a training or a prediction
    # become ready one by one: predict, postprocess, evaluate, embed and plot_subject have two to six arrays each.
    # All other jobs are not in an array. Of all steps, only the target `all` is no job.
    entries = {job["JobID"].split("_")[0] for job in jobs}
    assert len(jobs) == int(re.search(r"(\d+) of \1 steps", printed)[1]) - 1
    single = len(jobs) - 6 * 6
    assert single + 6 * 2 <= len(entries) <= single + 2 + 5 * 6, printed
    assert printed.count("The individual task IDs are 1-3.") >= 2
    assert "Report: " in printed
    assert_same(undisturbed, workflow, "split/cohort.tsv", "predict/*.nii.gz")


def test_finished_models_segment_another_cohort(cluster, undisturbed, tmp_path):
    """Nothing is trained, subjects run as arrays, and the label maps are those of a run on this machine."""
    names = [f"case_{number}" for number in (11, 12, 13)]
    for name in names:
        write_subject(tmp_path / "data", int(name[-2:]))
    settings = {"data": str(tmp_path / "data"), "models": str(undisturbed / "")}
    here, workflow = tmp_path / "here", tmp_path / "cluster"
    for folder in (here, workflow):
        folder.mkdir()
    here, workflow = Workflow(here, settings), Workflow(workflow, settings)
    done = here.run("predict_all", "--cores", "all")
    assert done.returncode == 0, done.stderr
    running = Running(workflow, "--slurm-array-limit", "3")
    assert "Report: " in running.end()
    jobs = cluster.jobs(running.since)
    assert {job["State"] for job in jobs} == {"COMPLETED"}
    assert not [job for job in jobs if "gres/gpu" in job["ReqTRES"]]
    assert not list((workflow / "").glob("train"))
    assert_same(here, workflow, "split/cohort.tsv", "predict/*.nii.gz")
    # One subject, by the name of its file.
    one = workflow / f"predict/{names[1]}.nii.gz"
    before = one.read_bytes()
    one.unlink()
    again = Running(workflow, str(one.relative_to(workflow.folder)))
    again.end()
    assert len(cluster.jobs(again.since)) == 1
    assert one.read_bytes() == before


def test_more_gpus_per_training_through_the_profile(cluster, undisturbed):
    (undisturbed / "train/0/model.keras").rename(undisturbed / "train/0/kept")
    try:
        running = Running(
            undisturbed, "results/train/0/model.keras", "--set-resources", "train:gpu=2", "train:slurm_partition=gpu"
        )
        seen = running.until(lambda: devices(undisturbed.folder))
        running.end()
    finally:
        (undisturbed / "train/0/kept").rename(undisturbed / "train/0/model.keras")
    assert seen == {"0": "0,1"}
    assert ["gres/gpu=2" in job["ReqTRES"] for job in cluster.jobs(running.since)] == [True]


def test_a_job_over_its_memory_is_retried_with_more(cluster, undisturbed, tmp_path):
    workflow = study(tmp_path)
    running = Running(workflow, "prepare", "--set-resources", "preprocess:mem_mb=150 * attempt ** 3")
    printed = running.end()
    states = [(job["State"], re.search(r"mem=(\d+)M", job["ReqTRES"])[1]) for job in cluster.jobs(running.since)]
    # An array requests 1 MB more for its list of commands. The state is FAILED if no cgroup ended the job.
    assert states.count(("FAILED", "151")) + states.count(("OUT_OF_MEMORY", "151")) == len(SUBJECTS)
    assert states.count(("COMPLETED", "1200")) == len(SUBJECTS)
    assert printed.count("Trying to restart job") == len(SUBJECTS)
    assert re.search(r"SLURM-job '\d+_1' failed, SLURM status is", printed)
    logs = list(workflow.folder.glob(".snakemake/slurm_logs/rule_preprocess/*_1.log"))
    assert "exceeded memory limit" in logs[0].read_text()
    assert_same(undisturbed, workflow, "split/cohort.tsv", "preprocess/*/*.npy")


def test_a_node_fails_during_an_array_of_subjects(cluster, undisturbed, tmp_path):
    workflow = study(tmp_path)
    running = Running(workflow, "prepare")
    running.until(lambda: list((workflow / "preprocess").glob("*/scan.json")))
    (node,) = {job["NodeList"] for job in cluster.jobs(running.since) if "RUNNING" in job["State"]}
    cluster("cut", node)
    try:
        running.end()
    finally:
        cluster("boot", node)
    jobs = cluster.jobs(running.since)
    assert {job["NodeList"] for job in jobs if job["State"] == "NODE_FAIL"} == {node}
    assert node not in {job["NodeList"] for job in jobs[-len(SUBJECTS) :]}
    assert_same(undisturbed, workflow, "split/cohort.tsv", "preprocess/*/*.npy")


def test_the_only_gpu_node_fails(cluster, undisturbed, tmp_path):
    """The trainings have no other node, so the run fails; once the node is back, the next run continues them."""
    workflow = study(tmp_path)
    running = Running(workflow, "train_all")
    running.until(lambda: list((workflow / "train").glob("*/state.npz")))
    cluster("cut", "gpu1")
    assert running.process.wait(300) == 1
    assert "failed due to a node failure" in running.log.read_text()
    assert not list((workflow / "train").glob("*/model.keras"))
    cluster("boot", "gpu1")
    Running(workflow, "train_all").end()
    logs = [(workflow / f"logs/train/{fold}.log").read_text() for fold in (0, 1)]
    assert any("continuing after epoch" in log for log in logs)
    for fold in (0, 1):
        assert weights(workflow / f"train/{fold}/model.keras") == weights(undisturbed / f"train/{fold}/model.keras")


def test_the_controller_fails_and_recovers(cluster, undisturbed, tmp_path):
    workflow = study(tmp_path)
    running = Running(workflow, "prepare")
    running.until(lambda: list((workflow / "preprocess").glob("*/scan.json")))
    cluster("crash")
    time.sleep(30)
    cluster("recover")
    running.end()
    assert_same(undisturbed, workflow, "split/cohort.tsv", "preprocess/*/*.npy")
