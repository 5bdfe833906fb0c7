"""A hash of the code that a command runs. If it changes, Snakemake reruns the jobs of the command."""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path


@cache
def code_hash(scripts: Path, *files: str) -> str:
    """Hash (16 hexadecimal digits) of the code of files and of all library modules that they import.

    scripts: the folder of the commands and the library; files: paths below it, such as "train.py". Comments,
    docstrings, blank lines and formatting do not change the hash, so editing them does not retrain a model. Imports
    inside functions count as well. The result is cached for each process.
    """
    found, queue = {}, list(files)
    while queue:
        name = queue.pop()
        if name not in found:
            found[name], imported = parsed(scripts, name)
            queue += imported
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


@cache
def parsed(scripts: Path, name: str) -> tuple[str, tuple[str, ...]]:
    """The code of a file without docstrings, and the library files that it imports."""
    tree = ast.parse((scripts / name).read_text(encoding="utf-8"))
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "glioseg":
            imported += _files(scripts, node.module, [alias.name for alias in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "glioseg":
                    imported += _files(scripts, alias.name, [])
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree), tuple(dict.fromkeys(imported))


def _files(scripts: Path, module: str, names: list[str]) -> list[str]:
    """The file of a module or, for a package, its __init__.py and the modules in it that are among `names`."""
    path = module.replace(".", "/")
    if (scripts / f"{path}.py").is_file():
        return [f"{path}.py"]
    inside = [f"{path}/{name}.py" for name in names if (scripts / f"{path}/{name}.py").is_file()]
    return [f"{path}/__init__.py", *inside]
