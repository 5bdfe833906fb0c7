"""The command `register` writes all series, or what is wrong with them."""

import gzip
import json

import numpy as np
from click.testing import CliRunner
from studies import resave, write_subject

from register import register


def words_of(folder, output, **changes):
    options = {"subject": "case_06", "mode": "auto", "reference": "t1ce", "n4": "false", "strip": "none"} | changes
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    for name in ("flair", "t1ce"):
        words += ["--image", name, str(folder / f"case_06_{name}.nii.gz"), "0"]
    return [*words, "--mask", str(folder / "case_06_seg.nii.gz"), "0", "--output", str(output)]


def test_the_command_writes_all_series_and_says_why(tmp_path):
    folder = write_subject(tmp_path, 6)
    kept = CliRunner().invoke(register, words_of(folder, tmp_path / "kept"))
    assert kept.output == "case_06: all series are on one grid; moved nothing\n"
    names = ["flair.nii.gz", "register.json", "seg.nii.gz", "t1ce.nii.gz"]
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == names
    moved = CliRunner().invoke(register, words_of(folder, tmp_path / "moved", mode="always", reference="finest"))
    assert moved.output == "case_06: register: mode is always; moved flair, t1ce, seg\n"
    assert (tmp_path / "moved/register.png").exists()
    facts = json.loads((tmp_path / "moved/register.json").read_text())
    assert facts["reference"] == "flair" and set(facts["series"]) == {"flair", "t1ce", "seg"}
    assert "points of the common space to points of the series" in facts["convention"]


def test_a_series_without_orientation_is_refused(tmp_path):
    folder = write_subject(tmp_path, 6)
    path = folder / "case_06_t1ce.nii.gz"
    resave(path, lambda voxels: voxels[:, :-4], np.eye(4))
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[252:256] = b"\0\0\0\0"
    path.write_bytes(gzip.compress(bytes(raw)))
    done = CliRunner().invoke(register, words_of(folder, tmp_path / "out"))
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "out/register.json").read_text())
    assert "t1ce has no orientation in its header" in facts["refused"]["t1ce"]
