"""Folders that the containers of Apptainer have to see; it mounts no more than the working directory by itself."""

import os
from collections.abc import Iterable
from pathlib import Path

# More folders than these are replaced by the one that holds them all: each is a mount of its own in every job.
MOST = 30


def bind_paths(paths: Iterable[str | Path], here: Path) -> list[str]:
    """The folders, as absolute paths, to bind so that all these files and folders are seen, links followed.

    Of a path that does not exist yet, it is the nearest folder that does. here: the working directory, whose content is
    seen anyway. A path with a comma or a colon cannot be bound and is left out.
    """
    here = here.resolve()
    found = {next(folder for folder in (path, *path.parents) if folder.is_dir()) for path in map(_resolved, paths)}
    found = sorted(
        path for path in found if path.parents and not path.is_relative_to(here) and not {",", ":"} & set(str(path))
    )
    folders: list[Path] = []
    for path in found:
        if not any(path.is_relative_to(folder) for folder in folders):
            folders.append(path)
    if len(folders) > MOST and os.path.commonpath(folders) != "/":
        return [os.path.commonpath(folders)]
    return list(map(str, folders))


def bind(folders: Iterable[str]) -> None:
    """Let all containers that this process starts see these folders, beside those that the user binds."""
    os.environ["APPTAINER_BIND"] = ",".join(filter(None, [os.environ.get("APPTAINER_BIND"), *folders]))


def _resolved(path: str | Path) -> Path:
    return Path(path).resolve()
