"""Broken subjects among good ones: each has its sentence, and the good ones reach the report."""

import gzip
import json

import nibabel as nib
import numpy as np
import pytest
from conftest import MODALITIES, SETTINGS, resave, write_subject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glioseg.files import read_table
from glioseg.preprocess.scan import preprocess_scan


def at_center(value):
    def change(voxels):
        voxels = voxels.astype(np.float32)
        voxels[tuple(size // 2 for size in voxels.shape)] = value
        return voxels

    return change


def moved(change):
    def affine(path):
        return change(nib.load(path).affine.copy())

    return affine


def shifted(affine):
    affine[:3, 3] += 5
    return affine


def header_byte(path, position, value):
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[position : position + len(value)] = value
    path.write_bytes(gzip.compress(bytes(content)))


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(bytes(content))


# What is done to which file -> what the cohort's table says of the subject.
BROKEN = {
    "lacks a modality": ("t2", lambda path: path.unlink(), "no file for t2"),
    "truncated": ("t1ce", lambda path: path.write_bytes(path.read_bytes()[:2000]), "_t1ce.nii.gz cannot be read"),
    "no bytes": ("t1", lambda path: path.write_bytes(b""), "_t1.nii.gz cannot be read"),
    "no image": ("t1", lambda path: path.write_bytes(gzip.compress(b"a letter")), "_t1.nii.gz cannot be read"),
    "one bit flipped": ("flair", flip_a_bit, "_flair.nii.gz cannot be read"),
    "unknown data type": ("t1", lambda path: header_byte(path, 70, b"\x63\x63"), "_t1.nii.gz cannot be read"),
    "other shape": ("t1ce", lambda path: resave(path, lambda v: v[:-2]), "t1ce has shape 38x44x36 but flair has"),
    "mask of other shape": ("seg", lambda path: resave(path, lambda v: v[..., :-1]), "seg has shape 40x44x35 but"),
    "two volumes": ("t1", lambda path: resave(path, lambda v: np.stack([v, v], -1)), "t1"),
    "a slice": ("t1", lambda path: resave(path, lambda v: v[..., 10]), "t1"),
    "other spacing": ("t2", lambda path: resave(path, affine=np.diag([-2.0, -1, 1, 1])), "t2"),
    "other orientation": ("t1", lambda path: resave(path, affine=np.diag([1.0, -1, 1, 1])), "t1"),
    "shifted": (
        "t1",
        lambda path: resave(path, affine=moved(shifted)(path)),
        "affine of t1 differs from that of flair",
    ),
    "singular affine": ("flair", lambda path: header_byte(path, 280, bytes(48)), "flair"),
    "NaN": ("t1", lambda path: resave(path, at_center(np.nan)), "t1 has 1 voxels that are NaN or infinite"),
    "infinite": ("t2", lambda path: resave(path, at_center(np.inf)), "t2 has 1 voxels that are NaN or infinite"),
    "empty": ("flair", lambda path: resave(path, np.zeros_like), "flair is empty: every voxel is 0"),
    "unknown label": ("seg", lambda path: resave(path, at_center(7)), "7, which brats2020 does not have"),
    "half a label": ("seg", lambda path: resave(path, at_center(0.5)), "0.5"),
    "empty mask": ("seg", lambda path: resave(path, np.zeros_like), "mask"),
    "mask beside the brain": ("seg", lambda path: resave(path, lambda v: np.roll(v, 22, (0, 1, 2))), "brain"),
}


def test_twenty_kinds_of_broken_subject_among_thirty(tmp_path, workflow):
    data = tmp_path / "data"
    broken = {}
    for number, (kind, (file, damage, sentence)) in enumerate(BROKEN.items(), start=1):
        subject = write_subject(data, number)
        damage(subject / f"{subject.name}_{file}.nii.gz")
        broken[subject.name] = (kind, sentence)
    for number in range(60, 70):
        write_subject(data, number)
    run = workflow(data)
    done = run.run()
    assert done.returncode == 0, done.stderr
    rows = {row["subject"]: row for row in read_table(run / "split/cohort.tsv")}
    page = (run / "report/index.html").read_text()
    assert len(broken) >= 20
    for name, (kind, sentence) in broken.items():
        assert rows[name]["verdict"] == "excluded", kind
        assert sentence in rows[name]["reason"], kind
        assert len(rows[name]["reason"]) > 30, kind
        assert f"{name} is excluded: " in done.stdout + done.stderr
        assert name in page, kind
    good = [name for name in rows if name not in broken]
    assert len(good) == 10
    for name in good:
        assert rows[name]["verdict"] == "taken", rows[name]["reason"]
        assert rows[name]["fold"] in ("train", "test")
    log = "".join(path.read_text() for path in (run / "logs/preprocess").iterdir())
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return write_subject(tmp_path_factory.mktemp("fuzzed"), 1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 351), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4),
    part=st.sampled_from(["flair", "seg"]),
)
def test_a_fuzzed_header_never_ends_in_a_traceback(subject, changes, part):
    path = subject / f"{subject.name}_{part}.nii.gz"
    before = path.read_bytes()
    content = bytearray(gzip.decompress(before))
    for position, value in changes:
        content[position : position + len(value)] = value
    try:
        path.write_bytes(gzip.compress(bytes(content), 1))
        images = {name: (subject / f"{subject.name}_{name}.nii.gz", 0) for name in MODALITIES}
        scan, arrays = preprocess_scan("case_01", images, (subject / f"{subject.name}_seg.nii.gz", 0), SETTINGS)
    finally:
        path.write_bytes(before)
    json.dumps(scan, allow_nan=False)
    assert (scan["verdict"] == "excluded") == (not arrays)
    assert bool(scan["reason"]) == (scan["verdict"] != "taken")
