"""Files that must agree: config.yaml, its schema and the commands' options; environments and the lock."""

import ast
import importlib
import re

import click
import pytest
import yaml
from conftest import ROOT

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "rules/config.schema.yaml").read_text())
# Settings that the rules use themselves, to know which subjects there are.
OF_THE_RULES = {"synthesize"}
# Commands that people type; the second has no rule.
TYPED = {"layouts", "compare", "view"}


def command(name):
    module = importlib.import_module(name)
    return next(value for value in vars(module).values() if isinstance(value, click.Command))


def test_config_and_schema_have_the_same_keys():
    assert set(CONFIG) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert SCHEMA["additionalProperties"] is False
    for section, value in CONFIG.items():
        if isinstance(value, dict):
            rules = SCHEMA["properties"][section]
            assert set(value) == set(rules["properties"]) == set(rules["required"]), section
            assert rules["additionalProperties"] is False


@pytest.mark.parametrize("section", [name for name, value in CONFIG.items() if isinstance(value, dict)])
def test_each_setting_is_an_option_of_its_command(section):
    if section in OF_THE_RULES:
        return
    options = {option.name for option in command(section).params}
    spelled = {name for option in command(section).params for name in option.opts}
    for key in CONFIG[section]:
        assert f"--{key.replace('_', '-')}" in spelled, (
            f"{section}: {key} is no option of scripts/{section}.py ({options})"
        )


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_options_have_no_hidden_defaults(path):
    if path.stem in TYPED:
        return
    optional = {"images", "mask", "prediction", "scores", "evaluate", "exclude", "failed", "failures"}
    for option in command(path.stem).params:
        assert option.required or option.name in optional, f"{path.name}: --{option.name} has a default"


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_each_command_has_its_rule(path):
    if path.stem == "view":  # ends only when it is told to
        assert "python scripts/view.py" in (ROOT / "Makefile").read_text()
        return
    rules = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    if path.stem == "compare":  # of two runs
        return
    assert f"python scripts/{path.name}" in rules


def test_schema_lists_what_the_registries_know():
    from glioseg.labels import DIALECTS
    from glioseg.layouts import LAYOUTS
    from glioseg.normalize import NORMALIZATIONS

    properties = SCHEMA["properties"]
    assert set(SCHEMA["$defs"]["labels"]["enum"]) == {"auto", *DIALECTS}
    assert set(SCHEMA["$defs"]["layout"]["enum"]) == {"auto", *LAYOUTS}
    assert set(properties["preprocess"]["properties"]["normalization"]["enum"]) == set(NORMALIZATIONS)


def test_schema_lists_what_training_knows():
    from glioseg.device import PRECISIONS
    from glioseg.losses import LOSSES
    from glioseg.networks import NETWORKS
    from glioseg.training import OPTIMIZERS, SCHEDULES

    train = SCHEMA["properties"]["train"]["properties"]
    assert set(train["network"]["enum"]) == set(NETWORKS)
    assert set(train["losses"]["items"]["enum"]) == set(LOSSES)
    assert set(train["optimizer"]["enum"]) == set(OPTIMIZERS)
    assert set(train["schedule"]["enum"]) == set(SCHEDULES)
    assert set(train["precision"]["enum"]) == set(PRECISIONS)


def locked(name):
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.M))


def test_environments_pin_what_the_lock_pins():
    lock = locked("requirements.lock")
    for path in (ROOT / "envs").iterdir():
        pins = re.findall(r"([\w-]+)==([\w.]+)", path.read_text())
        assert pins, path
        for package, version in pins:
            assert lock[package.lower()] == version, f"{path.name}: {package}"


def test_locks_agree_and_are_hashed():
    lock, gpu, development = map(locked, ("requirements.lock", "requirements-gpu.lock", "requirements-dev.lock"))
    assert lock["tensorflow-cpu"] == gpu["tensorflow"]
    for other in (gpu, development):
        assert {name: lock[name] for name in lock if name in other} == {n: v for n, v in other.items() if n in lock}
    for name in ("requirements.lock", "requirements-gpu.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


def test_light_commands_do_not_load_tensorflow():
    heavy = r"glioseg\.(networks|losses|training|supervision)\b|import (tensorflow|keras)"
    for path in (ROOT / "scripts").glob("*.py"):
        at_import = [line for line in path.read_text().splitlines() if re.match(r"(from|import) ", line)]
        assert not [line for line in at_import if re.search(heavy, line)], path.name


def test_triple_quotes_are_docstrings_alone():
    # rules/common.smk takes them out of what identifies the code.
    for path in (ROOT / "scripts").rglob("*.py"):
        tree = ast.parse(path.read_text())
        kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
        docstrings = sum(ast.get_docstring(node) is not None for node in ast.walk(tree) if isinstance(node, kinds))
        assert path.read_text().count('"""') == 2 * docstrings, path.name
