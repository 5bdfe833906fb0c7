"""The command `glioseg`: it lists and loads the commands of scripts/, and hands words to Snakemake."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from studies import ROOT
from test_agreement import command

from glioseg import cli
from glioseg.workflow import home

START = [sys.executable, "-c", "from glioseg.cli import main; main(prog_name='glioseg')"]


def started(*words, **environment):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")} | environment
    return subprocess.run([*START, *words], capture_output=True, text=True, env=environment)


def test_help_lists_every_command_without_loading_one():
    began = time.perf_counter()
    done = started("--help", PYTHONPROFILEIMPORTTIME="1")
    assert time.perf_counter() - began < 5  # 0.3 s on an idle machine
    for path in (ROOT / "scripts").glob("*.py"):
        assert f"\n  {path.stem.replace('_', '-')} " in done.stdout
    assert "\n  run  " in done.stdout and "\n  plot-subject      Draw the figures of one subject" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "glioseg.workflow.home" in loaded
    assert not {"numpy", "nibabel", "tensorflow", "jsonschema", "snakemake"} & loaded


@pytest.mark.parametrize("name", ["plot-subject", "plot_subject", "layouts"])
def test_a_command_is_that_of_its_script(name):
    shown = CliRunner().invoke(cli.main, [name, "--help"])
    assert shown.exit_code == 0, shown.output
    for option in command(name.replace("-", "_")).params:
        assert option.opts[0] in shown.output or option.name.upper() in shown.output


def test_an_unknown_command_is_named():
    assert "No such command 'train_all'" in CliRunner().invoke(cli.main, ["train_all"]).output
    assert "No such command '../scripts/view'" in CliRunner().invoke(cli.main, ["../scripts/view"]).output


def test_the_version_is_that_of_the_citation_with_the_commit_if_there_is_one(monkeypatch, tmp_path):
    number = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert CliRunner().invoke(cli.main, ["--version"]).output.startswith(f"glioseg {number}")
    (tmp_path / "CITATION.cff").write_text(f"version: {number}\n")
    monkeypatch.setattr(home, "HOME", tmp_path)

    class Installed:
        def read_text(self, name):
            return {"direct_url.json": self.origin}.get(name)

    monkeypatch.setattr(home, "distribution", lambda name: Installed)
    for origin, commit in (
        (None, ""),
        ({"url": "file:///a", "dir_info": {}}, ""),
        ({"url": "a", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}, " (012345678)"),
    ):
        Installed.read_text = lambda name, origin=origin: origin and json.dumps(origin)
        assert home.version() == f"{number}{commit}"
    for words in (["init"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "a"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=tmp_path, capture_output=True, text=True)
    assert home.version() == f"{number} ({commit.stdout.strip()})"


def test_settings_are_added_to_those_of_the_words_for_snakemake():
    added = ["data=a", "results=b"]
    for words, expected in (
        ([], ["--config", *added]),
        (["prepare", "--cores", "2"], ["prepare", "--cores", "2", "--config", *added]),
        (["--config", "seed=1", "--cores", "2"], ["--config", *added, "seed=1", "--cores", "2"]),
        (["-C", "seed=1"], ["-C", *added, "seed=1"]),
        (["--config=seed=1", "-n"], ["--config", *added, "seed=1", "-n"]),
    ):
        assert cli.with_values(words, ("--config", "-C"), added) == expected
    assert cli.with_values(["--cores=2"], ("--config",), []) == ["--cores=2"]


def test_run_hands_everything_to_snakemake(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(os, "execve", lambda program, words, environment: called.append((words, environment["PATH"])))
    monkeypatch.chdir(tmp_path)
    words = ["--data", "001", "--results", "mine", "--preset", "brats2013", "--", "prepare", "--configfile", "a.yaml"]
    done = CliRunner().invoke(cli.main, ["run", *words])
    assert done.exit_code == 0, done.output
    ((program, _, snakemake, *found), path) = called[0]
    assert (program, snakemake) == (sys.executable, "snakemake")
    preset = str(ROOT / "presets/brats2013.yaml")
    assert found == [
        *("prepare", "--configfile", preset, "a.yaml", "--config", "data=./001", "results=mine"),
        *("--snakefile", str(ROOT / "Snakefile")),
    ]
    assert path.split(os.pathsep)[0] == str(Path(sys.executable).parent)
    assert "Invalid value for '--preset'" in CliRunner().invoke(cli.main, ["run", "--preset", "all"]).output
    assert "is a file; expected a folder" in CliRunner().invoke(cli.main, ["run", "--results", __file__]).output
