"""Check that config.yaml, its schema and the commands agree, and that environments agree with the lock files."""

import ast
import importlib
import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import click
import pytest
import yaml
from studies import ROOT

from glioseg.workflow.code_hash import parsed

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "rules/config.schema.yaml").read_text())
# Settings that the rules use themselves, to find the subjects and to choose the results.
OF_THE_RULES = {("synthesize", "subjects"), ("predict", "layout"), ("report", "model")}
# Commands that people run themselves; the last three have no rule.
TYPED = {"layouts", "compare", "export", "segment", "train_strip", "view"}


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
    options = {option.name for option in command(section).params}
    spelled = {name for option in command(section).params for name in option.opts}
    for key in CONFIG[section]:
        if (section, key) in OF_THE_RULES:
            continue
        assert f"--{key.replace('_', '-')}" in spelled, (
            f"{section}: {key} is not an option of scripts/{section}.py ({options})"
        )


def help_of(name):
    """What --help prints of each option of a command, by the name of the option."""
    context = click.Context(command(name), **command(name).context_settings)
    return {
        option.opts[0]: " ".join(option.get_help_record(context))
        for option in command(name).params
        if isinstance(option, click.Option)
    }


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_each_option_is_explained_with_its_choices_and_its_default(path):
    printed = help_of(path.stem)
    for option in command(path.stem).params:
        if isinstance(option, click.Argument):
            assert option.name.upper() in command(path.stem).help, option.name
            continue
        assert re.search(r"\w{2,}.*\.$", option.help or ""), f"{path.name}: {option.opts[0]} has no help"
        words = printed[option.opts[0]]
        for kind in getattr(option.type, "types", [option.type]):
            assert all(value in words for value in getattr(kind, "choices", ())), f"{path.name}: {words}"
        if path.stem in TYPED and not option.required:
            assert re.search("default|instead of", words, re.I), f"{path.name}: {words}"


@pytest.mark.parametrize("section", sorted(SCHEMA["properties"]))
def test_help_lists_the_values_that_a_setting_may_have(section):
    for key, rules in SCHEMA["properties"][section].get("properties", {}).items():
        if (section, key) in OF_THE_RULES:
            continue
        kinds = [rules, rules.get("items", {}), *rules.get("anyOf", [])]
        allowed = {value for kind in kinds for value in (*kind.get("enum", ()), kind.get("const")) if value}
        words = help_of(section)[f"--{key.replace('_', '-')}"]
        assert all(value in words for value in allowed), f"{section}: {key}: {words}"


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_options_have_no_hidden_defaults(path):
    if path.stem in TYPED:
        return
    optional = {"images", "mask", "prediction", "scores", "evaluate", "exclude", "rows", "columns", "probabilities"}
    optional |= {"segmenter"}
    # Lists that can be empty.
    optional |= {
        "baselines",
        "dicom",
        "failed",
        "failures",
        "flips",
        "maps",
        "models",
        "overlays",
        "own_labels",
        "registered",
        "sources",
        "tunings",
        "tissues",
        "smallest_enhancing_ml",
        "smallest_component_ml",
        "region_thresholds",
        "temperatures",
        "chosen",
        # Where a temperature was chosen.
        "uncalibrated",
        "map_folder",
        "uncertainty",
    }
    for option in command(path.stem).params:
        assert option.required or option.name in optional, f"{path.name}: --{option.name} has a default"


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_each_command_has_its_rule(path):
    if path.stem == "view":  # it runs until it is stopped
        assert "python scripts/view.py" in (ROOT / "Makefile").read_text()
        return
    rules = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    # They work on finished runs, on a scan outside of a run, or on no data.
    if path.stem in ("compare", "segment", "export", "train_strip"):
        return
    assert f'python "$GLIOSEG/{path.name}"' in rules


def test_schema_lists_the_values_of_the_registries():
    from glioseg.labels import DIALECTS
    from glioseg.layouts.find_subjects import LAYOUTS
    from glioseg.preprocess.normalize import NORMALIZATIONS
    from glioseg.report.gallery import VIEWERS

    properties = SCHEMA["properties"]
    assert set(SCHEMA["$defs"]["labels"]["enum"]) == {"auto", *DIALECTS}
    assert set(SCHEMA["$defs"]["layout"]["enum"]) == {"auto", *LAYOUTS}
    assert set(properties["preprocess"]["properties"]["normalization"]["enum"]) == set(NORMALIZATIONS)
    assert set(properties["report"]["properties"]["viewer"]["enum"]) == set(VIEWERS)


def test_schema_lists_what_prediction_knows():
    from glioseg.export.derivatives import LAYOUTS
    from glioseg.predict.runtime import RUNTIMES
    from glioseg.predict.segment import MAPS
    from glioseg.predict.sliding_window import AXES

    predict = SCHEMA["properties"]["predict"]["properties"]
    assert set(predict["flips"]["items"]["enum"]) == set(AXES)
    assert set(predict["runtime"]["enum"]) == set(RUNTIMES)
    assert set(predict["maps"]["items"]["enum"]) == set(MAPS)
    assert set(predict["layout"]["enum"]) == set(LAYOUTS)


def test_schema_lists_the_values_of_training():
    from glioseg.train.device import PRECISIONS
    from glioseg.train.loop import OPTIMIZERS, SCHEDULES
    from glioseg.train.losses import LOSSES
    from glioseg.train.networks import NETWORKS
    from glioseg.train.unets.parts import LAYER_NORMALIZATIONS

    train = SCHEMA["properties"]["train"]["properties"]
    assert set(train["network"]["enum"]) == set(NETWORKS)
    assert set(train["normalization"]["enum"]) == {"auto", *LAYER_NORMALIZATIONS}
    assert set(train["losses"]["items"]["enum"]) == set(LOSSES)
    assert set(train["optimizer"]["enum"]) == set(OPTIMIZERS)
    assert set(train["schedule"]["enum"]) == set(SCHEDULES)
    assert set(train["precision"]["enum"]) == set(PRECISIONS)


def locked(name):
    return dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.M))


LOCK_OF = {
    "light": "envs/requirements-light.lock",
    "tensorflow": "envs/requirements.lock",
    "tensorflow-gpu": "envs/requirements-gpu.lock",
}


def asked_for(name):
    """The packages listed in a requirements file and in the files that it includes."""
    lines = (ROOT / name).read_text().splitlines()
    words = {match[0].lower() for line in lines if (match := re.match(r"[\w.-]+", line)) and not line.startswith("-")}
    return words.union(*[asked_for(f"envs/{line.split()[1]}") for line in lines if line.startswith("-r ")])


def test_each_environment_has_its_lock():
    # This does not run conda, so it does not check that conda-forge has Python 3.11.
    assert {path.stem for path in (ROOT / "envs").glob("*.yaml")} == set(LOCK_OF)
    assert set(SCHEMA["properties"]["environment"]["enum"]) == set(LOCK_OF) - {"light"}


@pytest.mark.parametrize("environment", LOCK_OF)
def test_conda_environments_install_their_lock_and_nothing_else(environment):
    file = yaml.safe_load((ROOT / f"envs/{environment}.yaml").read_text())
    assert file == {"channels": ["conda-forge"], "dependencies": ["python=3.11", "pip"]}
    head, lock = (ROOT / f"envs/{environment}.post-deploy.sh").read_text().split(" <<'LOCK'\n")
    lines = (ROOT / LOCK_OF[environment]).read_text().splitlines(keepends=True)
    assert lock == "".join(line for line in lines if not line.lstrip().startswith("#")) + "LOCK\n"
    # Only one command runs: pip, which reads the lock.
    _, safe, pip = [line for line in head.splitlines() if line and not line.startswith("# ")]
    assert safe == "set -euo pipefail"
    assert pip.endswith(" pip install --no-deps --require-hashes --requirement /dev/stdin")


@pytest.mark.parametrize("lock", LOCK_OF.values())
def test_locks_have_what_their_requirements_list(lock):
    assert asked_for(lock.replace(".lock", ".in")) <= set(locked(lock))


def test_no_lock_has_telemetry():
    # OpenVINO's own dependency openvino-telemetry sends statistics to a foreign host in every prediction.
    locks = sorted((ROOT / "envs").glob("*.lock"))
    assert {ROOT / name for name in LOCK_OF.values()} < set(locks)
    assert not [(path.name, name) for path in locks for name in locked(path) if "telemetry" in name]
    assert "openvino" in locked("envs/requirements.lock")


def imported_by(name):
    """The distributions that a command imports from outside of the library, at the top or inside of functions."""
    scripts, files, queue = ROOT / "scripts", set(), [f"{name}.py"]
    modules = set()
    while queue:
        file = queue.pop()
        if file not in files:
            files.add(file)
            queue += parsed(scripts, file)[1]
            for node in ast.walk(ast.parse((scripts / file).read_text())):
                modules |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
                modules |= {node.module} if isinstance(node, ast.ImportFrom) else set()
    outside = {module.partition(".")[0] for module in modules} - {"glioseg"} - sys.stdlib_module_names
    known = packages_distributions()
    return {module: {name.lower().replace("_", "-") for name in known.get(module, [])} for module in outside}


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_the_environment_of_a_command_has_what_it_imports(path):
    # segment, export and train_strip have no rule; they use networks. register does if one removes the skull.
    on_networks = ("train", "predict", "embed_model", "segment", "export", "register", "train_strip")
    with_tensorflow = path.stem in on_networks
    for environment in set(LOCK_OF) - {"light"} if with_tensorflow else {"light"}:
        requirements = LOCK_OF[environment].replace(".lock", ".in")
        # The CPU's package of TensorFlow has another name than the GPU's.
        installed = asked_for(requirements) | ({"tensorflow", "tensorflow-cpu"} if with_tensorflow else set())
        for module, names in imported_by(path.stem).items():
            assert names & installed, f"{path.name} imports {module}, which {requirements} does not list"


def test_each_rule_names_its_environment_and_its_container():
    kinds = {('"../envs/light.yaml"', "LIGHT"), ("TENSORFLOW", "FULL")}
    kinds |= {('TENSORFLOW if STRIPPED else "../envs/light.yaml"', "FULL if STRIPPED else LIGHT")}
    found = set()
    for file in (ROOT / "rules").glob("*.smk"):
        for block in re.split(r"^(?=rule |checkpoint )", file.read_text(), flags=re.M)[1:]:
            if "shell:" in block:
                words = re.search(r"    conda:\n        (.+)\n    container:\n        (.+)\n", block)
                assert words, block.splitlines()[0]
                found.add(words.groups())
    assert found == kinds


def test_containers_start_from_one_base_and_the_locks():
    containerfile, definition = ((ROOT / "containers" / name).read_text() for name in ("Containerfile", "glioseg.def"))
    (base,) = re.findall(r"^ARG BASE=(.+)$", containerfile, re.M)
    assert f"    BASE={base}\n" in definition
    # A name without a host is looked up in the registry that the machine is configured for.
    assert "/" not in base
    locks = set(re.findall(r"envs/requirements[\w-]*\.lock", containerfile + definition))
    assert locks == set(LOCK_OF.values())


def test_locks_agree_and_are_hashed():
    names = [f"envs/requirements{part}.lock" for part in ("", "-gpu", "-light", "-dev", "-docs", "-peers")]
    lock, gpu, light, *others = map(locked, names)
    assert lock["tensorflow-cpu"] == gpu["tensorflow"]
    assert light.items() <= lock.items()
    for other in (gpu, *others):
        assert {name: lock[name] for name in lock if name in other} == {n: v for n, v in other.items() if n in lock}
    for name in names:
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert text.count("==") <= text.count("--hash=sha256:")


def test_light_commands_do_not_load_tensorflow():
    # train loads TensorFlow after it has set the number of threads, predict only if it runs on TensorFlow.
    loaded = "import sys, {name}; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    for path in sorted((ROOT / "scripts").glob("*.py")):
        done = subprocess.run(
            [sys.executable, "-c", loaded.format(name=path.stem)], cwd=ROOT / "scripts", capture_output=True, text=True
        )
        assert done.stdout == "[]\n", f"{path.name}: {done.stdout} {done.stderr}"
