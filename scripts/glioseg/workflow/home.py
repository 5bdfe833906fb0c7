"""The folder that holds the workflow and this library, a checkout or a folder of the wheel: settings and version."""

import json
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import yaml

HOME = Path(__file__).resolve().parents[3]
# The model that `make model` trains, on phantoms alone.
SHIPPED = HOME / "models/glioseg.zip"
# The network that finds the brain in a head, which it trains, too.
BRAIN = HOME / "models/brain.keras"


def shipped() -> Path:
    """The bundle of the model that comes with this installation. Raises ValueError if there is none."""
    if not SHIPPED.exists():
        raise ValueError(
            f"no model was given, and {SHIPPED} does not exist; give a model, or train this one: make model"
        )
    return SHIPPED


def brain_model() -> Path:
    """The network that finds the brain in a head. Raises ValueError if this installation has none."""
    if not BRAIN.exists():
        raise ValueError(
            f"register: strip: network needs {BRAIN}, which does not exist; train it (make brain), or give the folder "
            "of your masks of the brain"
        )
    return BRAIN


def defaults(section: str) -> dict:
    """A section of config.yaml, which holds the default of every setting."""
    return yaml.safe_load((HOME / "config.yaml").read_text(encoding="utf-8"))[section]


def version() -> str:
    """The version, as in CITATION.cff, and the commit if it is known: 0.1.0 (v0.1.0-3-g2c1f0e4)."""
    number = yaml.safe_load((HOME / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    commit = _described() if (HOME / ".git").exists() else _installed_from()
    return f"{number} ({commit})" if commit else number


def _described() -> str:
    """What git says of the checkout; "" without git."""
    try:
        words = ["git", "-C", str(HOME), "describe", "--always", "--dirty"]
        return subprocess.run(words, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def _installed_from() -> str:
    """The commit that pip installed, which it records for a git repository (PEP 610); "" for anything else."""
    try:
        origin = json.loads(distribution("glioseg").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        return ""
    return origin.get("vcs_info", {}).get("commit_id", "")[:9]
