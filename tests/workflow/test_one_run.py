"""A results folder is used by one run at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glioseg.workflow.one_run import NOTE, claim, release


def test_a_folder_is_claimed_once_and_released(tmp_path):
    results = tmp_path / "results"
    claim(results)
    with pytest.raises(ValueError, match=rf"another run uses this folder since .* process {os.getpid()} on") as said:
        claim(results)
    assert f"started in {Path.cwd()}" in str(said.value) and f"remove {results / NOTE}" in str(said.value)
    release(results)
    assert list(results.iterdir()) == []
    claim(results)


def test_the_note_of_a_process_that_has_ended_is_replaced(tmp_path):
    words = "from glioseg.workflow.one_run import claim; from pathlib import Path; import sys; claim(Path(sys.argv[1]))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", words, str(tmp_path)], check=True, env=environment)
    assert (tmp_path / NOTE).exists()
    claim(tmp_path)
    assert json.loads((tmp_path / NOTE).read_text())["process"] == os.getpid()
    # Its number may have been given to another process.
    (tmp_path / NOTE).write_text(json.dumps(json.loads((tmp_path / NOTE).read_text()) | {"started": "1"}))
    claim(tmp_path)


def test_the_note_of_another_machine_stays(tmp_path):
    claim(tmp_path)
    note = json.loads((tmp_path / NOTE).read_text()) | {"host": "elsewhere", "started": "1"}
    (tmp_path / NOTE).write_text(json.dumps(note))
    release(tmp_path)
    with pytest.raises(ValueError, match="on elsewhere, started in"):
        claim(tmp_path)


def test_a_damaged_note_stops_nobody(tmp_path):
    (tmp_path / NOTE).write_text("{")
    claim(tmp_path)
    release(tmp_path)
