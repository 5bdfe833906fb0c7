"""A subject is moved, kept as it is, or refused in sentences."""

import json

import numpy as np
import pytest
from movements import center_of, coarse, moved
from studies import tiny_subject, write_subject

from glioseg.register.figure import draw
from glioseg.register.subject import register_subject
from glioseg.synthesize.anatomy import AFFINE
from glioseg.synthesize.series import distance_mm, draw_movement
from glioseg.volumes.brain import background_value
from glioseg.volumes.nifti import read_volume, write_label_map, write_volume

SETTINGS = {"mode": "auto", "reference": "t1ce", "n4": False, "strip": "none"}


@pytest.fixture(scope="module")
def raw(patient, tmp_path_factory):
    """Three series of a phantom (2 mm), and its mask, which was drawn on FLAIR: that lies elsewhere in thick slices."""
    folder = tmp_path_factory.mktemp("raw")
    images, mask = patient
    fixed, affine = coarse(images["t1ce"], AFFINE)
    movement = draw_movement(np.random.default_rng(5), center_of(fixed, affine))
    write_volume(folder / "t1ce.nii.gz", fixed, affine)
    write_volume(folder / "t2.nii.gz", *coarse(images["t2"], AFFINE))
    voxels, placed = moved(*coarse(images["flair"], AFFINE), movement, "RAS", 2)
    write_volume(folder / "flair.nii.gz", voxels, placed)
    labels, placed = coarse(mask, AFFINE)
    whole, placed = moved((labels > 0) * 100, placed, movement, "RAS", 2)
    write_label_map(folder / "seg.nii.gz", np.where(whole > 50, 2, 0).astype(np.uint8), placed)
    return {name: (folder / f"{name}.nii.gz", 0) for name in ("flair", "t1ce", "t2", "seg")}, movement, (labels, affine)


@pytest.fixture(scope="module")
def found(raw):
    return register_subject("a", raw[0], SETTINGS)


def test_all_series_lie_on_one_grid_of_one_millimeter(raw, found):
    facts = found.facts
    assert facts["why"].startswith("the series are on different grids: ")
    assert facts["registered"] and facts["reference"] == "t1ce"
    assert (facts["refused"], facts["warnings"]) == ({}, [])
    assert (
        {volume.voxels.shape for volume in found.volumes.values()}
        == {tuple(facts["grid"]["shape"])}
        == {(240, 240, 156)}
    )
    still, affine = read_volume(raw[0]["t1ce"][0])
    assert distance_mm(np.array(facts["series"]["flair"]["matrix"]), raw[1], still > 0, affine) < 1
    assert distance_mm(np.array(facts["series"]["t2"]["matrix"]), np.eye(4), still > 0, affine) < 1
    assert facts["series"]["t1ce"]["matrix"] == np.eye(4).tolist()
    assert facts["series"]["flair"]["nats_after"] > facts["series"]["flair"]["nats_before"]
    assert facts["series"]["flair"]["moved_mm"] == pytest.approx(
        distance_mm(raw[1], np.eye(4), still > 0, affine), abs=1
    )
    json.dumps(facts, allow_nan=False)
    # The surface of a brain is not mixed with the background.
    values = found.volumes["t1ce"].voxels
    assert values[values > 0].min() >= read_volume(raw[0]["t1ce"][0])[0][1:].min()


def test_the_mask_moves_with_the_series_that_it_was_drawn_on(raw, found):
    assert found.facts["drawn_on"] == "flair"
    labels, affine = raw[2]
    here = found.volumes["seg"].voxels[::2, ::2, ::2][tuple(map(slice, labels.shape))] > 0
    there = labels[tuple(map(slice, here.shape))] > 0
    assert affine == pytest.approx(found.volumes["seg"].affine @ np.diag([2, 2, 2, 1]), abs=1)
    assert 2 * (here & there).sum() / (here.sum() + there.sum()) > 0.85


def test_the_figure_shows_each_series_before_and_after(found):
    figure = draw(found)
    titles = [axis.get_title("left") for axis in figure.axes]
    assert titles[:2] == ["flair on t1ce, before", "flair on t1ce, after"] and len(titles) == 8


def test_series_on_one_grid_are_kept_bit_for_bit(tmp_path):
    folder = write_subject(tmp_path, 1)
    files = {name: (folder / f"case_01_{name}.nii.gz", 0) for name in ("flair", "t1", "t1ce", "t2", "seg")}
    kept = register_subject("case_01", files, SETTINGS)
    assert not kept.facts["registered"] and kept.facts["why"] == "all series are on one grid"
    for name, (path, _) in files.items():
        voxels, affine = read_volume(path)
        assert np.array_equal(kept.volumes[name].voxels, voxels) and np.array_equal(kept.volumes[name].affine, affine)
        assert kept.volumes[name].forms["sform_code"]


def test_heads_on_one_grid_are_registered_if_there_are_masks_of_the_brain(tmp_path):
    images, _ = tiny_subject(3, (64, 72, 60))
    affine = np.diag([-2.4, -2.4, 2.4, 1])
    # Nothing but brain inside, and tissue without a constant background around it.
    head = {
        name: np.where(images[name] > 0, images[name], 50 + np.indices((64, 72, 60)).sum(0)) for name in ("t1", "t1ce")
    }
    files = {name: (tmp_path / f"{name}.nii.gz", 0) for name in head}
    for name, (path, _) in files.items():
        write_volume(path, head[name].astype(np.int16), affine)
    (tmp_path / "brains").mkdir()
    write_label_map(tmp_path / "brains/a.nii.gz", (images["t1"] > 0).astype(np.uint8), affine)
    assert not register_subject("a", files, SETTINGS).facts["registered"]
    stripped = register_subject("a", files, SETTINGS | {"strip": str(tmp_path / "brains")})
    assert stripped.facts["why"] == "the skull is to be removed, and these series show a whole head: t1, t1ce"
    assert background_value(stripped.volumes["t1"].voxels) == 0


def test_what_cannot_be_used_is_refused_in_a_sentence(raw, tmp_path):
    files = {name: raw[0][name] for name in ("t1ce", "t2")}
    empty = tmp_path / "flair.nii.gz"
    write_volume(empty, np.zeros((5, 5, 5), np.int16), np.eye(4))
    (tmp_path / "t1.nii.gz").write_bytes(b"nothing")
    files |= {"flair": (empty, 0), "t1": (tmp_path / "t1.nii.gz", 0)}
    facts = register_subject("a", files, SETTINGS).facts
    assert facts["refused"]["flair"] == "flair is empty: every voxel is 0; export it again"
    assert "t1.nii.gz is text that begins with 'nothing'" in facts["refused"]["t1"]
    none = register_subject("a", {name: files[name] for name in ("flair", "t1")}, SETTINGS)
    assert none.facts["why"] == "no series can be read" and none.volumes == {}
    # Masks of the brain that the user has.
    missing = register_subject("a", raw[0] | {}, SETTINGS | {"mode": "always", "strip": str(tmp_path)})
    assert "has no mask of the brain a.nii.gz in" in missing.facts["refused"]["t1ce"] and missing.volumes == {}
    with pytest.raises(ValueError, match="expected one of never, always, auto"):
        register_subject("a", files, SETTINGS | {"mode": "perhaps"})


def test_a_mask_of_the_brain_cuts_and_n4_flattens(raw, tmp_path):
    voxels, affine = read_volume(raw[0]["t1ce"][0])
    half = (voxels > 0) & (np.arange(voxels.shape[0]) < 60)[:, None, None]
    write_label_map(tmp_path / "a.nii.gz", half.astype(np.uint8), affine)
    ramp = np.linspace(0.5, 1.5, voxels.shape[1], dtype=np.float32)[:, None]
    write_volume(tmp_path / "t1ce.nii.gz", voxels * ramp, affine)
    settings = SETTINGS | {"mode": "always", "strip": str(tmp_path)}
    ratios = []
    for n4 in (False, True):
        found = register_subject("a", {"t1ce": (tmp_path / "t1ce.nii.gz", 0)}, settings | {"n4": n4})
        voxels = found.volumes["t1ce"].voxels
        assert not voxels[125:].any() and voxels[:115].any()
        front, back = (voxels[:, part][voxels[:, part] > 0].mean() for part in (slice(60, 90), slice(150, 180)))
        ratios.append(front / back)
    assert ratios[0] < 0.85 and abs(ratios[1] - 1) < 0.5 * abs(ratios[0] - 1)
