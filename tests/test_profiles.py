"""Where the workflow runs: profiles name what is there, and each rule asks for more when it is tried again."""

import re

import pytest
import yaml
from snakemake.cli import get_argument_parser
from studies import ROOT

PROFILES = {path.parent.name: yaml.safe_load(path.read_text()) for path in ROOT.glob("profiles/*/config.yaml")}
TEXT = "".join(path.read_text() for path in sorted(ROOT.glob("rules/*.smk")))
# Some stand below an if.
RULES = {
    name: body for _, name, body in re.findall(r"^( *)(?:rule|checkpoint) (\w+):\n((?:(?:\1 {4}.*)?\n)+)", TEXT, re.M)
}
JOBS = {name: body for name, body in RULES.items() if "    shell:" in body}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_holds_options_that_snakemake_has(name):
    known = {option.lstrip("-") for action in get_argument_parser()._actions for option in action.option_strings}
    unknown = set(PROFILES[name]) - known
    # The Slurm plugin's own are known where it is installed: tests/cluster runs this profile on a real Slurm.
    assert {option for option in unknown if not option.startswith("slurm-")} == set()
    assert not unknown or PROFILES[name]["executor"] == "slurm"


def test_the_slurm_profile_names_rules_that_are_there():
    slurm = PROFILES["slurm"]
    for option in ("set-resources", "set-threads"):
        assert set(slurm[option]) <= set(JOBS), option
    # It stands in for the default profile, so what that decides stands in it, too; GPUs are Slurm's to share out.
    default = {option for option in PROFILES["default"] if option != "resources"}
    assert {option: slurm[option] for option in default} == {option: PROFILES["default"][option] for option in default}


@pytest.mark.parametrize("name", JOBS)
def test_each_rule_asks_for_more_when_tried_again(name):
    assert re.search(r"^ +mem_mb=growing\(\d{4,}\),$", JOBS[name], re.M)
    assert re.search(r"^ +runtime=growing\(\d+\),$", JOBS[name], re.M)


def test_jobs_that_are_as_many_as_the_subjects_go_as_arrays():
    many = {name for name, body in JOBS.items() if "/{subject}" in body.split("    log:")[1]}
    assert set(PROFILES["slurm"]["slurm-array-jobs"].split(", ")) == many


def test_the_slurm_profile_asks_for_twice_as_much_at_the_second_try(workflow):
    """As far as it goes without the plugin: its options left out, a dry run of the second try."""
    run = workflow("phantoms", synthesize={"subjects": 3})
    (run.folder / "profile").mkdir()
    profile = {
        option: value
        for option, value in PROFILES["slurm"].items()
        if option != "executor" and not option.startswith("slurm-")
    }
    (run.folder / "profile/config.yaml").write_text(yaml.safe_dump(profile))
    done = run.run("--dry-run", "--attempt", "2", "--workflow-profile", "profile")
    assert done.returncode == 0, done.stderr
    printed = done.stdout + done.stderr
    asked = dict(re.findall(r"^ *(?:local)?rule (\w+):\n(?: .*\n)*? +resources: (.*)\n", printed, re.M))
    wanted = {"preprocess": "mem_mb=3000 runtime=20 slurm_partition=cpu"}
    wanted["train"] = "mem_mb=16000 runtime=2880 slurm_partition=gpu gpu=1"
    for rule, resources in wanted.items():
        assert set(resources.split()) <= set(asked[rule].split(", ")), rule
