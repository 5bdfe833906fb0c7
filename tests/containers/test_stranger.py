"""Run the two commands of the README on a Debian with Python, its venv module and make, and nothing else."""

import re
import shutil

from machine import pip_settings, podman_base, project, run
from studies import ROOT, write_subject


def test_readme_commands_on_a_bare_debian():
    commands = re.findall(r"^((?:make|snakemake) .+)$", (ROOT / "README.md").read_text(), re.M)
    first, second = commands[:2]
    assert first == "make run"
    assert "presets/brats2020.yaml" in second
    image, study = podman_base(), project("stranger")
    for made in (".venv", "cohort"):
        shutil.rmtree(study / made, ignore_errors=True)
    for number in range(1, 13):
        write_subject(study / "cohort", number)
    inside = (
        *("podman", "run", "--rm", "--network", "host", "--volume", f"{study}:/glioseg", "--workdir", "/glioseg"),
        *("--volume", f"{pip_settings()}:/mnt:ro", "--env", "PIP_CONFIG_FILE=/mnt/pip.conf"),
        *(image, "bash", "-c"),
    )
    missing = run(*inside, "for name in git gcc curl snakemake; do command -v $name || echo no $name; done")
    assert missing.split("\n")[:4] == ["no git", "no gcc", "no curl", "no snakemake"]
    # Reduced to six coarse phantoms and a small network.
    done = run(*inside, f"{first} ARGS='--configfile study.yaml'")
    assert "Report: /glioseg/results/report/index.html" in done
    assert "Nothing to be done" in run(*inside, f"{first} ARGS='--configfile study.yaml'")
    # Reduced to twelve tiny subjects, up to the split.
    second = re.sub(r"data=\S+", "data=/glioseg/cohort", second).replace("snakemake", "snakemake prepare", 1)
    run(*inside, f"export PATH=$PWD/.venv/bin:$PATH && {second}")
    assert len(list(study.glob("results/**/case_*/image.npy"))) == 12
