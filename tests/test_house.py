"""Check the structure of the library: imports go down only, and folders and modules stay small."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest
from studies import ROOT

LIBRARY = ROOT / "scripts/glioseg"
# A folder of the library imports from its own layer and from the layers below it.
LAYERS = (
    {"api", "cli"},
    {"report", "export"},
    {"plot"},
    {"register"},
    {"predict"},
    {"layouts", "preprocess", "evaluate"},
    {"synthesize", "train", "volumes", "workflow", "split"},
    {"colors", "files", "labels", "choices", "scan_facts", "model_files"},
)
LAYER_OF = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
MODULES = sorted(path for path in LIBRARY.rglob("*.py"))
MOST_FILES, MOST_LINES, MOST_PARAMETERS = 14, 220, 8
# Modules without their own test file, and the test file that covers them.
TESTED_BY_OTHERS = {
    # The command `segment` in Python.
    "api": "commands/test_api.py",
    "evaluate/volumes": "commands/test_summarize.py",
    "plot/subjects/subject": "commands/test_plot_subject.py",
    "predict/keras_weights": "predict/test_openvino.py",
    "predict/segment": "commands/test_predict.py",
    "preprocess/appearance": "preprocess/test_plausibility.py",
    "preprocess/layers": "commands/test_embed.py",
    # A setting of the C library, whose effect is measured (docs/benchmarks.md).
    "preprocess/memory": "test_workflow.py",
    "register/facts": "register/test_subject.py",
    "register/figure": "register/test_subject.py",
    "register/one_scan": "commands/test_segment.py",
    "register/intensities": "register/test_subject.py",
    "report/gallery": "commands/test_report.py",
    # Its scripts run in a browser: tests/test_segmenter.py.
    "report/segmenter/page": "commands/test_embed_model.py",
    "report/crate": "commands/test_crate.py",
    "report/index": "commands/test_report.py",
    # A dataclass of the contents of the report.
    "report/run": "commands/test_report.py",
    "report/subject": "commands/test_report.py",
    "synthesize/anatomy": "synthesize/test_phantoms.py",
    "train/progress": "commands/test_train.py",
    "train/signals": "commands/test_train.py",
    "workflow/home": "test_cli.py",
    "train/start/said": "train/start/test_weights.py",
}


def room_of(path):
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(path):
    """The modules of the library that a file imports, at its top or inside functions, as paths."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "glioseg":
            base = LIBRARY.parent / node.module.replace(".", "/")
            for alias in node.names:
                inside = base / f"{alias.name}.py"
                yield inside if inside.is_file() else base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def test_every_room_is_in_the_plan():
    assert {room_of(path) for path in MODULES} - {"__init__"} == set(LAYER_OF)


def test_imports_go_down_only_and_without_cycles():
    upward, graph = [], {}
    for path in MODULES:
        for imported in imports(path):
            here, there = room_of(path), room_of(imported)
            if here != there:
                graph.setdefault(here, set()).add(there)
                if LAYER_OF[there] < LAYER_OF[here]:
                    upward.append(f"{path.relative_to(LIBRARY)} imports {imported.relative_to(LIBRARY)}")
    assert upward == []
    # Raises CycleError if rooms import each other in a cycle.
    assert list(TopologicalSorter(graph).static_order())


def test_modules_import_each_other_without_cycles():
    graph = {path: set(imports(path)) - {path} for path in MODULES}
    assert list(TopologicalSorter(graph).static_order())


def test_init_files_import_nothing():
    for path in LIBRARY.rglob("__init__.py"):
        docstring, *others = ast.parse(path.read_text()).body
        assert isinstance(docstring, ast.Expr), path
        # That of the library names the function `segment`, which is loaded when it is asked for.
        assert not any(isinstance(other, ast.Import | ast.ImportFrom) for other in others), path
        assert not others or path.parent == LIBRARY, path
        assert list(imports(path)) == []
    assert all((folder / "__init__.py").is_file() for folder in {path.parent for path in MODULES})


def test_folders_and_modules_stay_small():
    folders = {path.parent for path in LIBRARY.rglob("*.*") if "__pycache__" not in path.parts}
    counts = {str(folder.relative_to(LIBRARY)): sum(one.is_file() for one in folder.iterdir()) for folder in folders}
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}
    files = [*MODULES, *(ROOT / "scripts").glob("*.py")]
    lengths = {path.name: len(path.read_text().splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_takes_a_dozen_arguments():
    """Only commands take many arguments; other functions take a dataclass instead."""
    many = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                words = node.args
                count = len(words.posonlyargs) + len(words.args) + len(words.kwonlyargs)
                if count > MOST_PARAMETERS:
                    many.append(f"{path.relative_to(LIBRARY)}: {node.name} takes {count}")
    assert many == []


def test_the_library_knows_nothing_of_snakemake_or_of_the_commands():
    commands = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"snakemake", *commands}, path


def test_each_test_is_found_from_its_module_and_back():
    """tests/ROOM/test_MODULE.py tests a module of the library; tests/commands/test_COMMAND.py tests a command."""
    tests = ROOT / "tests"
    found = {path.relative_to(tests) for path in tests.rglob("test_*.py")}
    modules = {path.relative_to(LIBRARY).with_suffix("") for path in MODULES if path.stem != "__init__"}
    expected = {name.with_name(f"test_{name.name}.py"): str(name) for name in modules}
    rooms = {name.parts[0] for name in modules if len(name.parts) > 1}
    assert {path for path in found if path.parts[0] in rooms} <= set(expected), "a test file without a module"
    commands = {path.stem for path in (ROOT / "scripts").glob("*.py")}
    assert {path.stem.removeprefix("test_") for path in found if path.parts[0] == "commands"} <= {"api", *commands}
    assert {name for path, name in expected.items() if path not in found} == set(TESTED_BY_OTHERS)
    assert {tests / path for path in TESTED_BY_OTHERS.values()} <= {tests / path for path in found}


def test_each_file_of_rules_has_a_file_of_functions_and_all_stay_small():
    rules = {path.name: path.read_text() for path in (ROOT / "rules").glob("*.smk")}
    functions = {path.name: path.read_text() for path in (ROOT / "rules/functions").glob("*.smk")}
    assert set(functions) == {name for name, text in rules.items() if "    shell:" in text}
    lines = {path: len(path.read_text().splitlines()) for path in (ROOT / "rules").rglob("*.smk")}
    assert {str(path): count for path, count in lines.items() if count > MOST_LINES} == {}
    # A function that is named once only is not used.
    words = re.findall(r"\w+", "".join([(ROOT / "Snakefile").read_text(), *rules.values(), *functions.values()]))
    defined = [name for text in functions.values() for name in re.findall(r"^def (\w+)", text, re.M)]
    assert [name for name in defined if words.count(name) < 2] == []


@pytest.mark.parametrize("path", [ROOT / "Snakefile", *(ROOT / "rules").rglob("*.smk")], ids=lambda path: path.name)
def test_parsing_the_snakefile_loads_neither_numpy_nor_tensorflow(path):
    """Every job of a cluster parses the Snakefile and the rules again, so their imports must be fast."""
    lines = re.findall(r"^(?: *)(from glioseg[\w.]* import (?:\([^)]*\)|[^\n]+))", path.read_text(), re.M)
    code = "\n".join(
        [*lines, "import sys", "print(sorted({'numpy', 'scipy', 'nibabel', 'tensorflow'} & set(sys.modules)))"]
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
    assert lines or path.name != "common.smk"
