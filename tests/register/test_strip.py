"""The brain is found in whole heads by the network of the project."""

import numpy as np
import pytest

from glioseg.register import strip
from glioseg.register.subject import register_subject
from glioseg.synthesize.heads import AROUND, TISSUES, head_of, paint_head
from glioseg.volumes.nifti import read_volume, write_volume
from glioseg.workflow import home


@pytest.fixture(scope="module")
def head(patient):
    """Two series of a head with its phantom, and its brain (bool)."""
    images, _ = patient
    random = np.random.default_rng(9)
    tissues = head_of(random, images["t1"] > 0)
    series = {name: paint_head(random, tissues, images[name], name) for name in ("flair", "t1ce")}
    return series, tissues == TISSUES.index("brain")


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def test_the_brain_of_a_phantom_is_found(head):
    series, brain = head
    assert dice(strip.brain_by_network([image.astype(np.float32) for image in series.values()]), brain) > 0.965


def test_brain_is_what_more_than_half_of_the_images_show(monkeypatch):
    boxes = np.zeros((5, 40, 40, 40), np.float32)
    for number, half in enumerate((0, 6, 8, 12)):
        inside = slice(20 - half, 20 + half)
        boxes[number, inside, inside, inside] = 1
    boxes[4] = np.maximum(boxes[2], 0.45 * boxes[3])
    nothing, small, middle, large, doubtful = (np.full((120, 120, 120), number, np.float32) for number in range(5))
    monkeypatch.setattr(strip, "_probability", lambda network, coarse: boxes[int(coarse[0, 0, 0])])

    def volume(*images):
        return int(strip.brain_by_network(images).sum())

    assert volume(small) < volume(middle) < volume(large)
    assert volume(large, small) == volume(small)
    assert volume(large, middle, small) == volume(middle)
    assert volume(large, nothing, middle, middle) == volume(middle)
    # The mean of these is above a half between middle and large.
    assert volume(large, doubtful, doubtful, doubtful) == volume(doubtful)


def test_a_registered_subject_shows_its_brain_alone(head, patient, tmp_path):
    series, brain = head
    affine = np.diag([-1.0, -1, 1, 1])
    for name, image in series.items():
        write_volume(tmp_path / f"{name}.nii.gz", image, affine)
    files = {name: (tmp_path / f"{name}.nii.gz", 0) for name in series}
    settings = {"mode": "always", "reference": "t1ce", "n4": False, "strip": "network"}
    found = register_subject("a", files, settings)
    assert found.facts["refused"] == {}
    assert dice(found.volumes["flair"].voxels > 0, brain) > 0.93
    # The figure shows the brain on the whole head.
    assert found.facts["brain_ml"] == pytest.approx(found.brain.sum() / 1000)
    assert np.array_equal(found.heads["t1ce"], series["t1ce"]) and found.facts["warnings"] == []
    # Scans that show the brain alone stay as they are.
    stripped, _ = patient
    for name in series:
        write_volume(tmp_path / f"{name}.nii.gz", stripped[name], affine)
    found = register_subject("a", files, settings)
    assert dice(found.volumes["t1ce"].voxels > 0, stripped["t1ce"] > 0) > 0.999
    assert read_volume(files["t1ce"][0])[0].shape == tuple(
        size - sum(more) for size, more in zip(brain.shape, AROUND, strict=True)
    )


def test_an_installation_without_the_network_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(home, "BRAIN", tmp_path / "brain.keras")
    with pytest.raises(
        ValueError, match=r"register: strip: network needs .*brain\.keras, which does not exist; train it"
    ):
        strip.brain_by_network([np.zeros((4, 4, 4), np.float32)])
