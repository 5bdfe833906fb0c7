"""onnxruntime-web, which npm installs: it runs networks in a browser.

Loads neither NumPy nor nibabel, because the rules import it.
"""

import json
import re
import shlex
from pathlib import Path

from glioseg.workflow.home import HOME

# The folder with the package.json and the lock.
PACKAGES = HOME / "envs/npm"
NAME = "onnxruntime-web"


def insist_on_runtime(folder: Path = PACKAGES) -> str:
    """The version of onnxruntime-web in a folder with a package.json.

    Raises ValueError that says what to type if it is not installed there, or in another version than the locked one.
    """
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"][NAME]
    installed = folder / "node_modules" / NAME / "package.json"
    found = json.loads(installed.read_text(encoding="utf-8"))["version"] if installed.is_file() else "none"
    if found != wanted:
        raise ValueError(
            f"report: model needs {NAME} {wanted} in {folder}, found {found}; type: "
            f"npm ci --ignore-scripts --prefix {shlex.quote(str(folder))}"
        )
    return found


def onnxruntime_web(folder: Path = PACKAGES) -> tuple[str, bytes, str]:
    """A script that defines `ort`, the WebAssembly that it needs, and their version.

    Raises ValueError as `insist_on_runtime`.
    """
    version = insist_on_runtime(folder)
    files = folder / "node_modules" / NAME / "dist"
    body, _, exports = (files / "ort.wasm.bundle.min.mjs").read_text(encoding="utf-8").rpartition("export{")
    # A page that is opened from disk cannot start workers that are modules, so this becomes a plain script.
    body = body.replace("import.meta.url", "location.href")
    names = re.findall(r"([\w$]+) as (InferenceSession|Tensor|env)\b", exports)
    found = ", ".join(f"{name}: {inside}" for inside, name in names)
    code = f"const ort = (() => {{\n{body}\nreturn {{{found}}};\n}})();\n"
    return code, (files / "ort-wasm-simd-threaded.wasm").read_bytes(), version
