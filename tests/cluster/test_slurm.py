"""The workflow through a real Slurm of three nodes on this machine, while things go down: make test-cluster."""

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
# Epochs enough for a node to go down between two of them.
STUDY = TINY | {"split": {"folds": 2, "test_percent": 25}, "train": TINY["train"] | {"epochs": 60}}
# Asked more often than a shared cluster should be.
IMPATIENT = ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
IMPATIENT += ["--latency-wait", "5"]


def missing() -> str:
    """Why there can be no cluster here; empty if there can."""
    if os.geteuid() != 0:
        return "a cluster of one machine is started as root"
    tools = [tool for tool in ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd") if not shutil.which(tool)]
    if tools:
        return f"{', '.join(tools)} not found: apt-get install slurm-wlm slurmdbd munge mariadb-server"
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return "Snakemake's Slurm plugin is not installed: make slurm"
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


class Cluster:
    """The pretend cluster of the script beside this file."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __call__(self, verb: str, *words: str) -> None:
        subprocess.run([SCRIPT, verb, self.folder, *words], check=True, timeout=120)

    def jobs(self, since: float) -> list[dict[str, str]]:
        """Accounted jobs since a time (s) in the order of submission: state, node, what each asked for."""
        fields = "JobID,State,NodeList,ReqTRES"
        start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(since))
        words = ["sacct", "-X", "-n", "-P", "--duplicates", f"--starttime={start}", f"--format={fields}"]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
        return [dict(zip(fields.split(","), line.split("|"), strict=True)) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def cluster():
    # Not in pytest's own folder, which the database's user may not enter.
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
    """Six tiny subjects and the study of them."""
    for number in range(1, len(SUBJECTS) + 1):
        write_subject(folder / "data", number)
    (folder / "workflow").mkdir()
    return Workflow(folder / "workflow", {**STUDY, "data": str(folder / "data")})


class Running:
    """The workflow through Slurm, in the background; what it prints goes to `log`."""

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
        """Wait until `ready()` holds; returns what it says."""
        deadline = time.monotonic() + seconds
        while not (found := ready()):
            assert self.process.poll() is None, f"it ended before that came:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"that did not come:\n{self.log.read_text()}"
            time.sleep(0.1)
        return found

    def end(self, seconds: float = 400) -> str:
        """Wait for it; returns what it printed."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            code = "none: it did not end"
        printed = self.log.read_text()
        assert code == 0, f"exit code {code}\n{printed}"
        return printed


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The study as this machine does it by itself."""
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
    """A model's weights by name; its file holds the time, too."""
    found = {}
    with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()].tobytes()}) if hasattr(item, "shape") else None)
    assert len(found) > 10
    return found


def devices(folder: Path) -> dict[str, str]:
    """CUDA_VISIBLE_DEVICES of each training that runs in a folder now, by fold."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().split("\0")
            if "scripts/train.py" in words[1:2] and (process / "cwd").resolve() == folder:
                environment = dict(re.findall(r"(\w+)=([^\0]*)", (process / "environ").read_text()))
                found[words[words.index("--fold") + 1]] = environment.get("CUDA_VISIBLE_DEVICES", "none")
        except OSError:
            continue
    return found


def test_all_of_it(cluster, undisturbed, tmp_path):
    """Subjects as arrays, three to a queue entry; each fold's training on a GPU of its own; the same bits."""
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
    # What is ready at once goes together: two arrays of preprocess. What follows a training or a prediction goes as
    # these end: between two and six of predict, postprocess, evaluate, embed,
    # plot_subject each. Seventeen jobs are alone.
    entries = {job["JobID"].split("_")[0] for job in jobs}
    assert len(jobs) == 17 + 6 * 6
    assert 17 + 6 * 2 <= len(entries) <= 17 + 2 + 5 * 6, printed
    assert printed.count("The individual task IDs are 1-3.") >= 2
    assert "Report: " in printed
    assert_same(undisturbed, workflow, "split/cohort.tsv", "predict/*.nii.gz")


def test_more_gpus_for_a_training_by_the_profile_alone(cluster, undisturbed):
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


def test_over_its_memory_it_is_tried_again_with_more(cluster, undisturbed, tmp_path):
    workflow = study(tmp_path)
    running = Running(workflow, "prepare", "--set-resources", "preprocess:mem_mb=150 * attempt ** 3")
    printed = running.end()
    states = [(job["State"], re.search(r"mem=(\d+)M", job["ReqTRES"])[1]) for job in cluster.jobs(running.since)]
    # An array asks for a megabyte more, for its list of commands. Slurm says FAILED where no cgroup ended it.
    assert states.count(("FAILED", "151")) + states.count(("OUT_OF_MEMORY", "151")) == len(SUBJECTS)
    assert states.count(("COMPLETED", "1200")) == len(SUBJECTS)
    assert printed.count("Trying to restart job") == len(SUBJECTS)
    assert re.search(r"SLURM-job '\d+_1' failed, SLURM status is", printed)
    logs = list(workflow.folder.glob(".snakemake/slurm_logs/rule_preprocess/*_1.log"))
    assert "exceeded memory limit" in logs[0].read_text()
    assert_same(undisturbed, workflow, "split/cohort.tsv", "preprocess/*/*.npy")


def test_a_node_goes_down_under_an_array_of_subjects(cluster, undisturbed, tmp_path):
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


def test_the_only_gpu_node_goes_down(cluster, undisturbed, tmp_path):
    """Trainings can go nowhere else, so the run ends; once the node is back, the next goes on from their epochs."""
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


def test_the_controller_goes_down_and_comes_back(cluster, undisturbed, tmp_path):
    workflow = study(tmp_path)
    running = Running(workflow, "prepare")
    running.until(lambda: list((workflow / "preprocess").glob("*/scan.json")))
    cluster("crash")
    time.sleep(30)
    cluster("recover")
    running.end()
    assert_same(undisturbed, workflow, "split/cohort.tsv", "preprocess/*/*.npy")
