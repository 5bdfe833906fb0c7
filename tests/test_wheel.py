"""The wheel holds the whole workflow, and its command does in any folder what a checkout does. Needs no network."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from examples import TISSUES
from packaging.requirements import Requirement
from studies import MODALITIES, PROGRAMS, ROOT, SETTINGS, write_subject
from test_agreement import asked_for, locked

from glioseg.workflow.code_hash import code_hash

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built in a copy, since the build leaves files behind."""
    folder = tmp_path_factory.mktemp("build")
    left = shutil.ignore_patterns(".*", "results*", "site", "node_modules", "__pycache__", "build", "*.egg-info")
    shutil.copytree(ROOT, folder / "glioseg", ignore=left)
    words = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([sys.executable, "-m", "pip", *words, folder / "glioseg"], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


class Installed:
    """The wheel in an environment of its own, which finds the other packages in that of the tests."""

    def __init__(self, folder: Path, wheel: Path):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
        words = ["--python", folder / "bin/python", "install", "--quiet", "--no-deps", "--no-index", wheel]
        subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
        self.python, self.command = folder / "bin/python", folder / "bin/glioseg"
        self.home = site / "glioseg/home"

    def __call__(self, *words, place: Path, code: int = 0, path: str = os.defpath) -> subprocess.CompletedProcess:
        # As pipx calls it: its environment is not on the path.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [self.command, *map(str, words)],
            cwd=place, env=environment | {"PATH": path}, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
        return done


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("installed") / "venv", wheel)


def test_the_wheel_has_every_file_of_the_workflow_and_none_twice(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = {name.removeprefix("glioseg/home/") for name in names if name.startswith("glioseg/home/")}
    files = [path for path in ROOT.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    expected = {
        str(path.relative_to(ROOT))
        for folder in ("scripts", "rules", "presets", "profiles", "models")
        for path in files
        if ROOT / folder in path.parents
    }
    expected |= {f"envs/{path.name}" for path in (ROOT / "envs").iterdir() if path.suffix in (".yaml", ".sh")}
    expected |= {"envs/npm/package.json", "envs/npm/package-lock.json"}
    assert inside == expected | {"Snakefile", "config.yaml", "CITATION.cff"}
    outside = {name for name in names - {f"glioseg/home/{name}" for name in inside} if ".dist-info/" not in name}
    assert outside == {"glioseg/__init__.py"}


def test_each_range_admits_the_locked_version_and_none_of_the_next_major():
    lock, gpu = locked("envs/requirements.lock"), locked("envs/requirements-gpu.lock")
    versions = {name.lower(): number for name, number in (gpu | lock).items()}
    ranges = {one.name.lower(): one for one in map(Requirement, PROJECT["dependencies"])}
    # See docs/software.md: one package has another name, and one pins a Keras that is too old.
    assert set(ranges) == asked_for("envs/requirements.in") - {"tensorflow-cpu", "segmentation-models-3d"} | {
        "tensorflow"
    }
    (with_gpu,) = map(Requirement, PROJECT["optional-dependencies"]["gpu"])
    assert (with_gpu.specifier, with_gpu.extras) == (ranges["tensorflow"].specifier, {"and-cuda"})
    for name, one in ranges.items():
        number = versions[name]
        assert number in one.specifier, f"{one} does not admit {number}, which is locked"
        assert f"{int(number.split('.')[0]) + 1}.0" not in one.specifier, one
        assert re.search(r">=[\d.]+,<[\d.]+$", PROJECT["dependencies"][list(ranges).index(name)])
    (backend,) = map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"])
    assert version(backend.name) in backend.specifier


def test_the_command_prints_its_version(installed, tmp_path):
    assert installed("--version", place=tmp_path).stdout == f"glioseg {PROJECT['version']}\n"


def test_one_library_serves_python_and_the_jobs(installed, tmp_path):
    code = "import glioseg.labels as one; from glioseg import segment; print(one.__file__, segment.__module__)"
    done = subprocess.run([installed.python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(installed.home / "scripts/glioseg/labels.py"), "glioseg.api"]
    # A job in a conda environment has a Python in which the wheel is not installed: that of the tests.
    words = [sys.executable, "-P", installed.home / "scripts/layouts.py", write_subject(tmp_path, 1)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert "No module named 'glioseg'" in done.stderr
    done = subprocess.run([words[0], *words[2:]], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "case_01" in done.stdout, done.stderr
    for path in (ROOT / "scripts").glob("*.py"):
        assert code_hash(installed.home / "scripts", path.name) == code_hash(ROOT / "scripts", path.name)


def test_layouts_are_described(installed, tmp_path):
    write_subject(tmp_path / "data", 1)
    (tmp_path / "empty").mkdir()
    assert "subjects   1\n" in installed("layouts", "../data", place=tmp_path / "empty").stdout
    assert list((tmp_path / "empty").iterdir()) == []


def test_the_workflow_runs_in_any_folder(installed, tmp_path):
    place = tmp_path / "study"
    # A folder whose name is a number for Snakemake.
    for number in (1, 2):
        write_subject(place / "001", number)
    words = ["run", "--data", "001", "--results", "mine", "--"]
    planned = installed(*words, "--dry-run", "--cores", "1", "--config", "seed=3", place=place)
    assert re.search(r"\npreprocess +2\n", planned.stdout)
    assert re.search(r"profile \S*glioseg/home/profiles/default ", planned.stderr)
    done = installed(*words, "mine/layouts/subjects.tsv", "mine/preprocess/case_01", "--cores", "2", place=place)
    assert "2 of 2 steps (100%) done" in done.stdout + done.stderr
    assert (place / "mine/preprocess/case_01/image.npy").is_file()
    assert sorted(path.name for path in place.iterdir()) == [".snakemake", "001", "mine"]
    # The same folder for a checkout: what is there is up to date.
    words = ["--snakefile", ROOT / "Snakefile", "--cores", "1", "--config", "data=./001", "results=mine"]
    again = subprocess.run(
        [sys.executable, "-m", "snakemake", "mine/preprocess/case_01", *words],
        cwd=place, capture_output=True, text=True,
    )  # fmt: skip
    assert "Nothing to be done" in again.stderr, again.stderr
    phantoms = installed("run", "--", "prepare", "--dry-run", "--cores", "1", place=place)
    assert re.search(r"\nsynthesize +24\n", phantoms.stdout)
    wrong = installed("run", "--data", "nowhere", "--", "--dry-run", "--cores", "1", place=place, code=1)
    assert "nowhere" in wrong.stdout and "Traceback" not in wrong.stdout + wrong.stderr


def test_conda_finds_its_environments_in_the_wheel(installed, tmp_path):
    conda = tmp_path / "bin/conda"
    conda.parent.mkdir()
    conda.write_text(f"#!/bin/sh\n{PROGRAMS['conda']}\n")
    conda.chmod(0o755)
    words = ["run", "--", "--dry-run", "--cores", "1", "--sdm", "conda"]
    done = installed(*words, place=tmp_path, path=f"{conda.parent}:{os.defpath}")
    for name in ("light", "tensorflow"):
        assert re.search(
            rf"Conda environment \S*glioseg/home/envs/{name}.yaml will be created", done.stdout + done.stderr
        )


def test_segment_is_that_of_the_script(installed, tmp_path):
    import keras

    from glioseg.train.networks import build_network

    keras.utils.set_random_seed(3)
    build_network("unet", (16, 16, 16), 4, 4, (4, 8), "").save(tmp_path / "model.keras")
    study = {"modalities": list(MODALITIES), "labels": "brats2020", "preprocess": SETTINGS}
    facts = {"settings": {"classes": list(TISSUES)}, "study": study}
    (tmp_path / "model.keras").with_name("settings.json").write_text(json.dumps(facts))
    words = ["--model", "model.keras", "--subject", write_subject(tmp_path, 3), "--output"]
    installed("segment", *words, "a.nii.gz", place=tmp_path)
    script = [sys.executable, ROOT / "scripts/segment.py", *words, "b.nii.gz"]
    subprocess.run(script, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    missing = installed("segment", "--model", "none.keras", "--output", "c.nii", place=tmp_path, code=2)
    assert "Usage: glioseg segment" in missing.stderr and "none.keras" in missing.stderr


def test_the_report_names_the_commit_of_a_checkout_and_the_version_of_a_wheel(installed, tmp_path):
    rule = (ROOT / "rules/report.smk").read_text()
    (lines,) = re.findall(r"^( +' --commit .*?)^ +\" ", rule, re.M | re.S)
    words = "".join(re.findall(r"'(.*)'\n", lines)).removeprefix(" --commit ")

    def named(scripts):
        command = ["bash", "-euo", "pipefail", "-c", f"echo {words}"]
        environment = os.environ | {"GLIOSEG": str(scripts)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    # The environment lies in a repository of the user's own, whose commits say nothing of this project.
    outer = installed.python.parents[2]
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init"], ["commit", "--allow-empty", "--message", "a"]):
        subprocess.run([*git, *arguments], cwd=outer, check=True, capture_output=True)
    assert named(installed.home / "scripts") == f"version {PROJECT['version']}"
    copy = tmp_path / "scripts"
    copy.mkdir()
    for arguments in (["init"], ["commit", "--allow-empty", "--message", "b"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True, capture_output=True)
    assert re.fullmatch("[0-9a-f]{7,}", named(copy))
