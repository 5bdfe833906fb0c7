"""The folder that holds the workflow and this library, a checkout or a folder of the wheel: settings."""

from pathlib import Path

import yaml

HOME = Path(__file__).resolve().parents[3]


def defaults(section: str) -> dict:
    """A section of config.yaml, which holds the default of every setting."""
    return yaml.safe_load((HOME / "config.yaml").read_text(encoding="utf-8"))[section]
