"""Every command of README and docs, as a newcomer types it, in a copy of the project with a tiny finished study.

Commands that take long run as a dry run; those that need other programs are only parsed. docs/extend.md and
docs/benchmarks.md have tests and commands of their own.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from dicoms import write_series
from studies import MODALITIES, PROGRAMS, ROOT, TINY, tiny_subject

from glioseg.files import read_table
from glioseg.split.folds import assign_folds
from glioseg.workflow.config import check_config

PAGES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if path.name not in ("extend.md", "benchmarks.md")
]
SUBJECTS = 8
# What is really run: it is quick, or a dry run would show nothing.
REAL = re.compile(
    r"^(?!.*snakemake|glioseg run)|snakemake results/predict/|snakemake --unlock|--report |data=broken|raw_phantoms"
)
# What needs a program, a cluster or a network that a test does not have: parsed, not run.
ELSEWHERE = re.compile(r"^(podman|apptainer|pip|pipx|pip-audit|sacct|git clone|docker|ssh) ?")


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(), re.M | re.S)


def commands(page: Path) -> list[str]:
    """The commands of a page, each with its continued lines."""
    text = "".join(blocks(page, "bash"))
    return [line for line in re.split(r"(?<!\\)\n", text) if line.strip()]


class Newcomer:
    """A copy of the project whose config.yaml is that of a tiny study, finished once."""

    def __init__(self, folder: Path):
        self.project = folder / "glioseg"
        shutil.copytree(
            ROOT, self.project, ignore=shutil.ignore_patterns(".*", "results*", "site", "__pycache__", "node_modules")
        )
        self.data(folder)
        self.bin = {}
        for kind in ("real", "dry"):
            self.bin[kind] = folder / f"bin-{kind}"
            self.bin[kind].mkdir()
            for name, text in PROGRAMS.items():
                self.program(kind, name, text)
        self.program("dry", "snakemake", f'exec {sys.executable} -m snakemake "$@" --dry-run')
        start = f"PYTHONPATH={self.project}/scripts exec {sys.executable} -c 'from glioseg.cli import main; main()'"
        self.program("real", "glioseg", f'{start} "$@"')
        self.program("dry", "glioseg", f'{start} "$@" --dry-run')
        # The profile as far as it goes without the plugin for Slurm.
        profile = self.project / "profiles/slurm/config.yaml"
        options = yaml.safe_load(profile.read_text())
        kept = {name: value for name, value in options.items() if name != "executor" and not name.startswith("slurm-")}
        profile.write_text(yaml.safe_dump(kept))
        done = self.run("snakemake --cores 2", "real")
        assert done.returncode == 0, done.stderr
        for name in ("results/longer", "results_a", "results_b"):
            shutil.copytree(self.project / "results/summarize", folder_of(self.project, name) / "summarize")

    def data(self, folder: Path) -> None:
        """Tiny phantoms in the place of the real ones, and the same subjects wherever the pages say /path/to."""
        volumes, enhancing = {}, {}
        for number in range(1, SUBJECTS + 1):
            name = f"phantom_{number:03d}"
            images, mask = tiny_subject(number, (64, 72, 60))
            volumes[name], enhancing[name] = float((mask > 0).sum()), float((mask == 4).sum())
            for part, volume in [*images.items(), ("seg", mask)]:
                path = self.project / f"results/synthesize/{name}/{name}_{part}.nii.gz"
                path.parent.mkdir(parents=True, exist_ok=True)
                nib.save(nib.Nifti1Image(volume, np.diag([-1.0, -1, 1, 1])), path)
        made = [sys.executable, "benchmarks/dicom_phantom.py", "results/dicom", "--patients", "1"]
        subprocess.run(made, cwd=self.project, check=True, capture_output=True)
        # The pages predict phantom_002, which the default study holds out.
        seed = next(
            seed for seed in range(99) if assign_folds(volumes, enhancing, 1, 25, seed)["phantom_002"] == "test"
        )
        config = yaml.safe_load((self.project / "config.yaml").read_text())
        for section, values in {**TINY, "synthesize": {"subjects": SUBJECTS}, "seed": seed}.items():
            config[section] = config[section] | values if isinstance(values, dict) else values
        (self.project / "config.yaml").write_text(yaml.safe_dump(config))
        self.places = self.project / "path-to"
        scans = self.project / "results/synthesize"
        for name in ("folder", "MICCAI_BraTS2020_TrainingData"):
            shutil.copytree(scans, self.places / name)
        shutil.copytree(self.project / "results/dicom", self.places / "patients")
        (self.places / "glioseg").symlink_to(self.project)
        (self.places / "results").symlink_to(self.project / "results")
        (self.places / "my-study").mkdir()
        (self.places / "subject").mkdir()
        for part in MODALITIES:
            for copy in (f"{part}.nii.gz", f"subject/subject_{part}.nii.gz"):
                shutil.copy(scans / f"phantom_002/phantom_002_{part}.nii.gz", self.places / copy)
        images, _ = tiny_subject(2, (64, 72, 60))
        for part, words in zip(MODALITIES, ("AX FLAIR", "AX T1", "AX T1 POST GD", "AX T2"), strict=True):
            write_series(self.places / f"patient/{part}", images[part], np.diag([-1.0, -1, 1, 1]), words)
        header = ["subject", *MODALITIES, "seg"]
        lines = [
            [f"p{number:02d}", *(f"folder/{name}/{name}_{part}.nii.gz" for part in (*MODALITIES, "seg"))]
            for number in range(1, SUBJECTS + 1)
            for name in [f"phantom_{number:03d}"]
        ]
        (self.places / "subjects.tsv").write_text("".join("\t".join(line) + "\n" for line in [header, *lines]))

    def program(self, kind: str, name: str, text: str) -> None:
        path = self.bin[kind] / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self, command: str, kind: str) -> subprocess.CompletedProcess:
        path = f"{self.bin[kind]}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        # A shell's own PATH in a command must not hide these.
        command = command.replace("export PATH=$PWD/.venv/bin:$PATH", "true")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command.replace("/path/to", str(self.places))],
            cwd=self.project, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip


def folder_of(project: Path, name: str) -> Path:
    return project / name if "/" in name else project / "path-to" / name


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    return Newcomer(tmp_path_factory.mktemp("newcomer"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_run_as_they_are_typed(newcomer, page):
    for name, text in re.findall(r"`([\w.]+\.yaml)`[^`]*?\n+```yaml\n(.*?)^```$", page.read_text(), re.M | re.S):
        (newcomer.project / name).write_text(text.replace("/path/to", str(newcomer.places)))
    for command in commands(page):
        if ELSEWHERE.match(command):
            parsed = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True)
            assert parsed.returncode == 0, f"{page.name}: {command}\n{parsed.stderr}"
            continue
        if command.startswith("make "):
            command = command.replace("make ", "make --dry-run ", 1)
        done = newcomer.run(command, "real" if REAL.search(command) else "dry")
        assert done.returncode == 0, f"{page.name}: {command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def test_the_tutorial_breaks_what_it_says(newcomer):
    """After the commands of the tutorial: the subject with the truncated file is excluded, the others are included."""
    table = newcomer.project / "results/broken/split/cohort.tsv"
    if not table.exists():
        pytest.skip("the commands of the tutorial did not run before")
    verdicts = {row["subject"]: row["verdict"] for row in read_table(table)}
    assert verdicts.pop("phantom_002") == "excluded"
    assert set(verdicts.values()) == {"included"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_studies_on_a_page_are_valid_and_change_something(page):
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for block in blocks(page, "yaml"):
        study = yaml.safe_load(block)
        merged = yaml.safe_load((ROOT / "config.yaml").read_text())
        for section, values in study.items():
            assert section in config, f"{page.name}: {section}"
            for name, value in values.items() if isinstance(values, dict) else [(None, values)]:
                default = config[section][name] if name else config[section]
                assert value != default, f"{page.name}: {section}: {name} is {value!r} by default"
            merged[section] = config[section] | values if isinstance(values, dict) else values
        check_config(merged, ROOT / "rules/config.schema.yaml")


# Words that quote config.yaml, and the setting that they quote.
QUOTED = {
    r"\b(\d+) synthetic patients": ("synthesize", "subjects"),
    r"\b(\d+) epochs\b(?! of)": ("train", "epochs"),
}


def test_numbers_quoted_from_the_configuration_are_right():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    for pattern, (section, name) in QUOTED.items():
        found = [(page.name, number) for page in PAGES for number in re.findall(pattern, page.read_text())]
        assert found, pattern
        assert {number for _, number in found} == {str(config[section][name])}, f"{section}: {name}: {found}"
    readme = (ROOT / "README.md").read_text()
    subjects = config["synthesize"]["subjects"]
    held_out = round(subjects * config["split"]["test_percent"] / 100)
    assert f"trains on {subjects - held_out} of them" in readme
    assert re.search(rf"the {held_out} held\s+out", readme)


def test_sentences_end_before_a_code_block():
    for page in PAGES:
        before = re.findall(r"([^\n]*)\n\n```(?:bash|yaml)\n", page.read_text())
        runs_through = [line for line in before if not line.startswith("#") and not line.endswith((".", ":"))]
        assert runs_through == [], page.name


def test_the_readme_is_ten_minutes():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 120
    assert len(re.findall(r"^!\[", text, re.M)) == 1
