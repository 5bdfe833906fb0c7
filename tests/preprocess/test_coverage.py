"""A modality whose field of view does not hold the whole brain is reported, as is one of a real patient."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from studies import resave, scan_of, tiny_subject, write_subject

from glioseg.preprocess.coverage import partly_covered


def volumes_of(number=3):
    """The images of a tiny subject, the background of each, and its brain."""
    images, _ = tiny_subject(number)
    return images, dict.fromkeys(images, 0.0), np.any([volume != 0 for volume in images.values()], 0)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("outside", (0, 2))
def test_a_modality_that_ends_before_the_brain_is_reported_with_its_share(axis, outside):
    images, backgrounds, brain = volumes_of()
    assert partly_covered(images, backgrounds, brain) is None
    planes = np.flatnonzero(brain.any(tuple(other for other in range(3) if other != axis)))
    for part in (slice(None, planes[5]), slice(planes[-5], None)):
        cut = {name: volume.copy() for name, volume in images.items()}
        gone = np.zeros(brain.shape, bool)
        np.moveaxis(gone, axis, 0)[part] = True
        gone &= brain
        # Beyond the field of view lies the background, or another constant that is less than nearly all values.
        cut["t1"][gone] = outside
        share = 100 * gone.sum() / brain.sum()
        said = partly_covered(cut, backgrounds, brain)
        assert said.startswith(f"not every modality shows the whole brain: t1 lacks {share:.0f} % of it, beyond")


def test_holes_in_the_brain_and_a_few_voxels_of_its_edge_are_not_reported():
    images, backgrounds, brain = volumes_of()
    places = np.argwhere(brain)
    middle = places.mean(0)
    inner = np.linalg.norm(np.indices(brain.shape).T - middle, axis=-1).T < 6
    assert (inner & brain).sum() / brain.sum() > 0.02
    images["flair"][inner] = 0
    images["t1"][: places[:, 0].min() + 1] = 0
    assert partly_covered(images, backgrounds, brain) is None
    assert partly_covered(images, backgrounds, np.zeros_like(brain)) is None


def test_the_scan_is_warned_and_used(tmp_path):
    folder = write_subject(tmp_path, 3)

    def end(voxels):
        voxels[..., np.flatnonzero(voxels.any((0, 1)))[-6] :] = 0
        return voxels

    resave(folder / "case_03_t2.nii.gz", end)
    scan, arrays = scan_of(folder)
    assert (scan["verdict"], [finding["check"] for finding in scan["findings"]]) == ("warned", ["partly_covered"])
    assert "t2 lacks" in scan["reason"]
    assert arrays["image"].any()


@pytest.mark.skipif("GLIOSEG_CASES2021" not in os.environ, reason="GLIOSEG_CASES2021 is not set")
def test_one_of_five_patients_has_a_t1_that_ends_before_the_brain():
    said = {}
    for folder in sorted(path for path in Path(os.environ["GLIOSEG_CASES2021"]).iterdir() if path.is_dir()):
        files = {path.name.split("_")[-1].split(".")[0]: path for path in folder.glob("*.nii*")}
        images = {name: np.asarray(nib.load(path).dataobj) for name, path in files.items() if name != "seg"}
        brain = np.any([volume != 0 for volume in images.values()], 0)
        said[folder.name] = partly_covered(images, dict.fromkeys(images, 0.0), brain)
    assert [name for name, sentence in said.items() if sentence] == ["BraTS2021_01482"]
    assert ": t1 lacks 7 % of it," in said["BraTS2021_01482"]
