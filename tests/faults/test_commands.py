"""Inject faults into single commands: the result equals an undisturbed run, or an error explains what is wrong."""

import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest

from faults.matrix import FULL, KILLS, SURVIVED
from faults.study import SUBJECTS, command_of

QUICK = ["preprocess", "split", "evaluate", "summarize", "embed", "report"]
REST = [
    "synthesize",
    "layouts",
    "baseline",
    "plot_subject",
    "plot",
    "train",
    "predict",
    "tune_postprocess",
    "postprocess",
]
RULES = [*QUICK, *REST] if FULL else QUICK


def undisturbed(study, rule):
    """Output files of a rule in an undisturbed run. synthesize is run here, since the study does not use it."""
    if rule == "synthesize" and not (study.home / "results/synthesize").exists():
        assert study.run(rule, study.home).returncode == 0
    return study.contents(rule, study.home)


def again(study, rule, folder):
    """Run a rule again as Snakemake does, without its old outputs, and check that the result is the undisturbed one."""
    study.clear(rule, folder)
    done = study.run(rule, folder)
    assert done.returncode == 0, f"{rule}: {done.stdout}{done.stderr}"
    assert study.contents(rule, folder) == undisturbed(study, rule), f"{rule}: not equal to an undisturbed run"
    return done


@pytest.mark.parametrize("rule", [*QUICK, *REST])
def test_the_study_gives_each_command_valid_options(study, monkeypatch, rule):
    monkeypatch.chdir(study.home)
    with command_of(rule).make_context(rule, study.words(rule)) as context:
        assert context.params


@pytest.mark.parametrize("rule", RULES)
def test_kill_9_at_random_moments(study, matrix, tmp_path, rule):
    expected = undisturbed(study, rule)
    study.copy(rule, tmp_path)
    counted = study.run(rule, tmp_path, ("kill", 0))
    assert counted.returncode == 0, counted.stderr
    operations = int(counted.stdout.rpartition("operations: ")[2].split()[0])
    assert operations > 1
    moments = random.Random(f"42 {rule}")
    for _ in range(KILLS):
        study.clear(rule, tmp_path)
        killed = study.run(rule, tmp_path, ("kill", moments.randint(1, operations)))
        assert killed.returncode == -signal.SIGKILL, f"{rule}: {killed.stdout}{killed.stderr}"
        # A file with its final name must be complete; Snakemake deletes output folders of a killed job.
        for name, content in study.contents(rule, tmp_path).items():
            if rule not in ("preprocess", "plot_subject"):
                assert content == expected[name], f"{rule}: {name} is incomplete"
        again(study, rule, tmp_path)
        matrix.record("kill -9 at a random file operation", rule, SURVIVED)


@pytest.mark.parametrize("rule", RULES)
def test_kill_9_at_random_times(slow, study, matrix, tmp_path, rule):
    study.copy(rule, tmp_path)
    command = study.command(rule)
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    lasts = time.monotonic() - started
    moments = random.Random(f"43 {rule}")
    for _ in range(max(KILLS // 5, 1)):
        study.clear(rule, tmp_path)
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, 0.9 * lasts))
        process.kill()
        process.wait()
        again(study, rule, tmp_path)
        matrix.record("kill -9 at a random time", rule, SURVIVED)


@contextmanager
def small_disk(folder, megabytes):
    """Mount a small disk on a folder; skip the test if this account may not mount."""
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"needs to mount a small disk, which this account may not: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leaving):
    """Fill a disk until only so many bytes are free."""
    with (folder / "filler").open("wb") as stream:
        free = os.statvfs(folder)
        stream.write(bytes(max(free.f_bavail * free.f_bsize - leaving, 0)))


@pytest.mark.parametrize("rule", RULES)
def test_full_disk(slow, study, matrix, tmp_path, rule):
    expected = undisturbed(study, rule)
    size = sum((study.home / name).stat().st_size for name in expected)
    with small_disk(tmp_path / "disk", 200) as disk:
        study.copy(rule, disk)
        for leaving in (0, size // 2):
            study.clear(rule, disk)
            fill(disk, leaving)
            done = study.run(rule, disk)
            matrix.explained("full disk", rule, done, "the disk is full")
            (disk / "filler").unlink()
            again(study, rule, disk)
            (disk / "results/train/all/state.npz").unlink(missing_ok=True)


@pytest.mark.parametrize("rule", RULES)
def test_read_only_results(slow, study, matrix, tmp_path, rule):
    with small_disk(tmp_path / "disk", 200) as disk:
        study.copy(rule, disk)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        matrix.explained(
            "read-only results", rule, study.run(rule, disk), "access was refused", "Read-only file system"
        )
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        again(study, rule, disk)


@pytest.mark.parametrize("rule", ["preprocess", "split", "embed"])
def test_file_size_limit(study, matrix, tmp_path, rule):
    """A limit on file sizes acts like a quota, and needs no right to mount a disk."""
    study.copy(rule, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        done = study.run(rule, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    matrix.explained("file size limit", rule, done, "the disk is full, or a quota or limit is reached")
    again(study, rule, tmp_path)


def garble(path):
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 3, len(content), 97):
        content[place] ^= 255
    path.write_bytes(bytes(content))


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


DAMAGES = {
    "truncated": truncate,
    "empty": lambda path: path.write_bytes(b""),
    "no such file": lambda path: path.unlink(),
}
ARRAYS = DAMAGES | {"a pickle": pickled, "another shape": lambda path: np.save(path, np.zeros((3, 3, 3, 3, 3)))}
TABLES = DAMAGES | {"garbled": garble, "without columns": lambda path: path.write_text("a\tb\n1\t2\n")}
SCANS = DAMAGES | {"garbled": garble, "no object": lambda path: path.write_text("[]")}
# Rule, a file that it reads, and the damages to inject.
READ = [
    *((rule, "preprocess/{0}/image.npy", ARRAYS) for rule in ("train", "predict", "baseline", "plot_subject")),
    ("train", "preprocess/{0}/mask.npy", ARRAYS),
    *((rule, "preprocess/{0}/scan.json", SCANS) for rule in ("train", "predict", "split", "baseline", "embed")),
    *((rule, "split/cohort.tsv", TABLES) for rule in ("train", "baseline", "summarize", "report")),
    *((rule, "predict/{0}.nii.gz", DAMAGES) for rule in ("evaluate", "plot_subject", "embed")),
    ("summarize", "evaluate/{0}.json", {name: DAMAGES[name] for name in ("truncated", "empty")}),
    ("summarize", "baseline/scores.tsv", TABLES),
    ("split", "layouts/subjects.tsv", TABLES),
    ("plot", "summarize/subjects.tsv", TABLES),
    ("report", "summarize/scores.tsv", TABLES),
    ("predict", "train/all/model.keras", DAMAGES | {"garbled": garble}),
    ("postprocess", "tune_postprocess/all.json", SCANS),
    ("postprocess", "predict/raw/{0}.nii.gz", DAMAGES),
    ("tune_postprocess", "split/folds.tsv", TABLES),
]


@pytest.mark.parametrize(("rule", "name", "damages"), READ, ids=lambda value: value if isinstance(value, str) else "")
def test_a_damaged_file_is_named_in_the_error(study, matrix, tmp_path, rule, name, damages):
    if rule in ("train", "predict", "baseline") and not FULL:
        pytest.skip("runs with make test-faults")
    study.copy(rule, tmp_path)
    learned = next(row["subject"] for row in study.rows if row["fold"] == "train")
    subject = learned if rule in ("train", "baseline") else study.scored[0]
    path = tmp_path / "results" / name.format(subject)
    whole = path.read_bytes()
    for damage, inflict in damages.items():
        study.clear(rule, tmp_path)
        inflict(path)
        done = study.run(rule, tmp_path)
        matrix.explained(f"{path.name.replace(subject, 'SUBJECT')} {damage}", rule, done, path.name)
        path.write_bytes(whole)
    again(study, rule, tmp_path)


@pytest.mark.parametrize(
    "damage", [garble, truncate, lambda path: path.write_bytes(b"")], ids=["garbled", "cut", "empty"]
)
def test_a_damaged_state_is_reported_and_training_starts_again(slow, study, matrix, tmp_path, damage):
    study.copy("train", tmp_path)
    state = tmp_path / "results/train/all/state.npz"
    interrupted = study.run("train", tmp_path, ("kill", 60))
    assert interrupted.returncode == -signal.SIGKILL
    state.parent.mkdir(parents=True, exist_ok=True)
    if not state.exists():
        np.savez(state, history=np.zeros(99, np.uint8))
    damage(state)
    assert "cannot be read" in again(study, "train", tmp_path).stdout
    matrix.record("training state damaged", "train", SURVIVED)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_in_training_keeps_its_state(slow, study, matrix, tmp_path, number):
    moments = random.Random(number.name)
    for _ in range(max(KILLS // 5, 1)):
        shutil.rmtree(tmp_path / "results", ignore_errors=True)
        study.copy("train", tmp_path)
        process = subprocess.Popen(
            study.command("train"),
            cwd=tmp_path,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        epoch = moments.randint(1, 4)
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith(f"epoch {epoch}/"):
                break
        time.sleep(moments.uniform(0, 0.1))
        process.send_signal(number)
        out, error = process.communicate()
        done = subprocess.CompletedProcess([], process.returncode, said + out, error)
        matrix.explained(f"{number.name} in training", "train", done, f"{number.name} ended the training", "step")
        resumed = again(study, "train", tmp_path)
        assert "continuing after epoch" in resumed.stdout
        matrix.record(f"training that {number.name} ended, run again", "train", SURVIVED)


def test_a_nan_loss_names_subjects_and_step(slow, study, matrix, tmp_path):
    study.copy("train", tmp_path)
    done = study.run("train", tmp_path, ("nan", 30))
    matrix.explained("NaN loss", "train", done, "the loss became nan in epoch 3, step 7", "case_0")
    # The state of the last good epoch is kept, and a training with a lower learning rate can continue from it.
    shutil.copytree(tmp_path, tmp_path / "lower")
    command = study.command("train")
    (place,) = [place for place, word in enumerate(command) if word.startswith("--learning-rate=")]
    command[place] = "--learning-rate=0.0005"
    lower = subprocess.run(command, cwd=tmp_path / "lower", capture_output=True, text=True, check=True)
    assert "continuing after epoch 2 with another learning_rate or clip_norm, because the loss" in lower.stdout
    matrix.record("NaN loss, then a lower learning rate", "train", SURVIVED)
    resumed = again(study, "train", tmp_path)
    assert "continuing after epoch 2" in resumed.stdout


@pytest.mark.parametrize(("rule", "megabytes"), [("train", 40), ("predict", 10)])
def test_out_of_memory(slow, study, matrix, tmp_path, rule, megabytes):
    study.copy(rule, tmp_path)
    done = study.run(rule, tmp_path, ("memory", megabytes))
    if done.returncode < 0:  # an allocation outside of Python ended the process with its own message
        assert not study.contents(rule, tmp_path)
        matrix.record("out of memory", rule, SURVIVED)
    else:
        matrix.explained("out of memory", rule, done, "memory")
    again(study, rule, tmp_path)


def test_a_scan_replaced_while_it_is_read_is_one_or_the_other(study, matrix, tmp_path):
    """A file is read in one go, so the result is that of one version or the other."""
    one, other = (study.data / f"{name}/{name}_t1.nii.gz" for name in SUBJECTS[:2])
    kept = {path: path.read_bytes() for path in (one, other)}
    made = []
    try:
        for content in kept.values():
            one.write_bytes(content)
            folder = tmp_path / f"version{len(made)}"
            study.copy("preprocess", folder)
            assert study.run("preprocess", folder).returncode == 0
            made.append(study.contents("preprocess", folder))
        assert made[0] != made[1]
        ended = threading.Event()

        def replace():
            while not ended.is_set():
                for content in kept.values():
                    spare = one.with_name("spare")
                    spare.write_bytes(content)
                    spare.replace(one)

        writer = threading.Thread(target=replace)
        writer.start()
        try:
            folder = tmp_path / "disturbed"
            study.copy("preprocess", folder)
            for _ in range(20 if FULL else 3):
                study.clear("preprocess", folder)
                done = study.run("preprocess", folder)
                assert done.returncode == 0, done.stdout
                assert study.contents("preprocess", folder) in made
                matrix.record("a scan replaced while it is read", "preprocess", SURVIVED)
        finally:
            ended.set()
            writer.join()
    finally:
        one.write_bytes(kept[one])


def test_thousands_of_arrays_open_at_once(study, matrix):
    from glioseg.files import allow_open_files
    from glioseg.train.patches import load_subject

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 6000:
        pytest.skip(f"this account may open {before[1]} files; the test needs 6,000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            kept = [load_subject(study.home / "results/preprocess" / SUBJECTS[0]) for _ in range(250)]
            assert not kept
        allow_open_files()
        subjects = [load_subject(study.home / "results/preprocess" / SUBJECTS[0]) for _ in range(2500)]
        assert sum(int(subject.mask[20, 20, 20]) for subject in subjects) >= 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    matrix.record("5,000 arrays open, from a limit of 256", "train", SURVIVED)


@pytest.mark.parametrize("rule", ["plot", "predict", "train"])
def test_no_home(study, matrix, tmp_path, rule):
    if rule != "plot" and not FULL:
        pytest.skip("runs with make test-faults")
    study.copy(rule, tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "HOME"} | {"HOME": "/nonexistent"}
    done = study.run(rule, tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    assert study.contents(rule, tmp_path) == undisturbed(study, rule)
    matrix.record("no home folder", rule, SURVIVED)


@pytest.mark.parametrize("rule", ["summarize", "report", "predict", "train"])
def test_no_network(study, matrix, tmp_path, rule):
    if rule not in ("summarize",) and not FULL:
        pytest.skip("runs with make test-faults")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("needs a process without network, which this account may not start (unshare -n)")
    study.copy(rule, tmp_path)
    done = study.run(rule, tmp_path, before=("unshare", "-n"))
    assert done.returncode == 0, done.stderr
    assert study.contents(rule, tmp_path) == undisturbed(study, rule)
    matrix.record("no network", rule, SURVIVED)
