"""Check that profiles name existing options and rules, and that a retried job requests more resources."""

import re

import pytest
import yaml
from snakemake.cli import get_argument_parser
from studies import ROOT

PROFILES = {path.parent.name: yaml.safe_load(path.read_text()) for path in ROOT.glob("profiles/*/config.yaml")}
TEXT = "".join(path.read_text() for path in sorted(ROOT.glob("rules/*.smk")))
# Some rules are indented below an `if`.
RULES = {
    name: body for _, name, body in re.findall(r"^( *)(?:rule|checkpoint) (\w+):\n((?:(?:\1 {4}.*)?\n)+)", TEXT, re.M)
}
JOBS = {name: body for name, body in RULES.items() if "    shell:" in body}


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_use_options_that_snakemake_has(name):
    known = {option.lstrip("-") for action in get_argument_parser()._actions for option in action.option_strings}
    unknown = set(PROFILES[name]) - known
    # Options of the Slurm plugin are unknown unless it is installed; tests/cluster runs this profile on a real Slurm.
    assert {option for option in unknown if not option.startswith("slurm-")} == set()
    assert not unknown or PROFILES[name]["executor"] == "slurm"


def test_the_slurm_profile_names_existing_rules():
    slurm = PROFILES["slurm"]
    for option in ("set-resources", "set-threads"):
        assert set(slurm[option]) <= set(JOBS), option
    # It replaces the default profile, so it repeats its options, except for the GPUs, which Slurm assigns.
    default = {option for option in PROFILES["default"] if option != "resources"}
    assert {option: slurm[option] for option in default} == {option: PROFILES["default"][option] for option in default}


@pytest.mark.parametrize("name", JOBS)
def test_each_rule_requests_more_when_retried(name):
    assert re.search(r"^ +mem_mb=growing\(\d{4,}\),$", JOBS[name], re.M)
    assert re.search(r"^ +runtime=growing\(\d+\),$", JOBS[name], re.M)


def test_rules_with_a_job_per_subject_are_submitted_as_arrays():
    many = {name for name, body in JOBS.items() if re.search("/{(subject|name)}", body.split("    log:")[1])}
    assert set(PROFILES["slurm"]["slurm-array-jobs"].split(", ")) == many


def test_the_slurm_profile_requests_twice_as_much_at_the_second_attempt(workflow):
    """Dry run of the second attempt, without the plugin and its options."""
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
