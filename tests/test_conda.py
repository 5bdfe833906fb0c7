"""Run jobs in environments as conda makes them, with a script in place of conda and of the environment's Python."""

import shutil
import sys

import pytest
from studies import PROGRAMS, ROOT

from glioseg.files import read_table

TARGET = "results/layouts/subjects.tsv"
# The Python of an environment. It keeps what pip would install, and notes how it is called by jobs.
PYTHON = """#!/bin/bash
folder=$(dirname "$0")
if [[ "$*" == *"-m pip install"* ]]; then
  echo "PIP_USER=$PIP_USER $*" >"$folder/pip"
  cat >"$folder/lock"
else
  echo "PYTHONNOUSERSITE=$PYTHONNOUSERSITE $*" >>"$folder/jobs"
  exec "{python}" "$@"
fi
"""
# conda itself: `conda env create … --prefix FOLDER` makes an environment with nothing but this Python.
CONDA = """#!/bin/bash
if [[ $1 == env ]]; then
  install -D "{folder}/python" "${{*: -1}}/bin/python"
else
  {facts}
fi
"""


def write_program(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def run(cohort_folder, workflow):
    """A workflow whose Python and conda are those above, of a user whose settings of pip name ~/.local."""
    run = workflow(cohort_folder)
    folder = run.folder / "bin"
    facts = PROGRAMS["conda"].replace("/opt", str(run.folder))
    write_program(folder / "python", PYTHON.format(python=sys.executable))
    write_program(folder / "conda", CONDA.format(folder=folder, facts=facts))
    write_program(folder / "activate", 'export PATH="$1/bin:$PATH"\n')
    run.environment.pop("PYTHONNOUSERSITE", None)
    run.environment |= {"PATH": f"{folder}:{run.environment['PATH']}", "PIP_USER": "1"}
    return run


def notes_of_jobs(folder):
    return (folder / "jobs").read_text().splitlines()


def test_jobs_import_nothing_from_the_home_of_the_user(run):
    done = run.run(TARGET)
    assert done.returncode == 0, done.stderr
    (note,) = notes_of_jobs(run.folder / "bin")
    assert note.startswith("PYTHONNOUSERSITE=1 ")


def test_a_job_runs_in_an_environment_with_the_packages_of_the_lock(run):
    # Rules name the files of environments relative to themselves.
    for name in ("envs", "rules"):
        (run.folder / name).unlink()
        shutil.copytree(ROOT / name, run.folder / name)
    done = run.run(TARGET, "--sdm", "conda")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(read_table(run.folder / TARGET)) == 12
    (environment,) = run.folder.glob(".snakemake/conda/*/bin")
    assert (environment / "pip").read_text().startswith("PIP_USER=0 -I -m pip install --no-deps --require-hashes ")
    lock = (ROOT / "envs/requirements-light.lock").read_text().splitlines()
    assert (environment / "lock").read_text().splitlines() == [line for line in lock if "    #" not in line]
    (note,) = notes_of_jobs(environment)
    assert note.startswith("PYTHONNOUSERSITE=1 ")
    assert not (run.folder / "bin/jobs").exists()

    # A new lock makes a new environment, and the job runs again.
    script = run.folder / "envs/light.post-deploy.sh"
    script.write_text(script.read_text().replace("click==", "click==1."))
    done = run.run(TARGET, "--sdm", "conda")
    assert done.returncode == 0, done.stdout + done.stderr
    (newer,) = set(run.folder.glob(".snakemake/conda/*/bin")) - {environment}
    assert "click==1." in (newer / "lock").read_text()
    assert len(notes_of_jobs(newer)) == 1
