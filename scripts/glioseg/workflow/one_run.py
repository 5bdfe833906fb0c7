"""One run at a time in a results folder. Snakemake's own lock does not see runs that start in different folders."""

import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

NOTE = ".running.json"


def claim(results: Path) -> None:
    """Write into a results folder that this process uses it. Raises ValueError if another run uses it.

    The note of a process that has ended on this machine is replaced. Whether one on another machine still runs cannot
    be known, so that its note stays. In a folder that cannot be written into, the jobs themselves fail.
    """
    note, here = results / NOTE, json.dumps(_this_process())
    for _ in range(2):
        try:
            results.mkdir(parents=True, exist_ok=True)
            _create(note, here)
            return
        except FileExistsError:
            other = _read(note)
        except OSError:
            return
        if other and not _has_ended(other):
            raise ValueError(
                f"{results}: another run uses this folder since {other['since']}: process {other['process']} on "
                f"{other['host']}, started in {other['folder']}. Wait until it ends, or give this run another results "
                f"folder. If it has ended, remove {note}"
            )
        note.unlink(missing_ok=True)
    raise ValueError(f"{results}: another run has just started to use this folder; wait until it ends")


def release(results: Path) -> None:
    """Remove the note of this process, if there is one."""
    note = results / NOTE
    if (found := _read(note)) and (found["host"], found["process"]) == (socket.gethostname(), os.getpid()):
        note.unlink(missing_ok=True)


def _create(note: Path, content: str) -> None:
    """Create a file that is whole as soon as it has its name. Raises FileExistsError if there is one."""
    partial = note.with_name(f"{NOTE}-{os.getpid()}")
    partial.write_text(content, encoding="utf-8")
    try:
        os.link(partial, note)
    except PermissionError:  # a file system without links
        with note.open("x", encoding="utf-8") as stream:
            stream.write(content)
    finally:
        partial.unlink(missing_ok=True)


def _this_process() -> dict:
    number, now = os.getpid(), datetime.now(UTC).isoformat(" ", "seconds")
    facts = {"host": socket.gethostname(), "process": number, "folder": str(Path.cwd()), "since": now}
    return facts | {"started": _started(number)}


def _read(note: Path) -> dict | None:
    """The content of a note; None if it is gone or is none."""
    with suppress(OSError, ValueError, TypeError):
        found = json.loads(note.read_text(encoding="utf-8"))
        return found if {"host", "process", "folder", "since", "started"} <= set(found) else None
    return None


def _has_ended(other: dict) -> bool:
    """Whether a process has ended on this machine; another with its number has another start."""
    return other["host"] == socket.gethostname() and _started(other["process"]) != other["started"]


def _started(number: int) -> str:
    """When a process of this machine started, in ticks after the machine did; "" if there is none."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""
