"""The command `register` writes all series, or what is wrong with them."""

import gzip
import json

import numpy as np
from click.testing import CliRunner
from dicoms import write_series
from movements import center_of, coarse, moved
from studies import resave, write_subject

from glioseg.synthesize.anatomy import AFFINE
from glioseg.synthesize.series import distance_mm, draw_movement
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


def test_dicom_series_of_a_moved_head_are_registered_and_name_nobody(patient, tmp_path):
    fixed, affine = coarse(patient[0]["t1ce"], AFFINE)
    movement = draw_movement(np.random.default_rng(8), center_of(fixed, affine))
    flair = moved(*coarse(patient[0]["flair"], AFFINE), movement, "LPS", 2)
    words = ["--subject", "a", "--mode", "auto", "--reference", "t1ce", "--n4", "false", "--strip", "none"]
    for name, (voxels, placed) in {"t1ce": (fixed, affine), "flair": flair}.items():
        folder = write_series(tmp_path / "raw" / name, voxels, placed, name)
        words += ["--image", name, str(folder), "0"]
    out = tmp_path / "out"
    done = CliRunner().invoke(register, [*words, "--output", str(out)])
    assert done.exit_code == 0, done.output
    facts = json.loads((out / "register.json").read_text())
    found = np.array(facts["series"]["flair"]["matrix"])
    assert distance_mm(found, movement, fixed > 0, affine) < 1
    # Not even in a header.
    secrets = (b"DOE", b"JANE", b"4711", b"19500101", b"20240102", b"1.2.3.4")
    for path in out.iterdir():
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert not [word for word in secrets if word in content]
