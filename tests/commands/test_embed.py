"""The command `embed` gives a page volumes with the geometry of the scan."""

import base64
import gzip

import nibabel as nib
import numpy as np
import pytest
from reports import scan, script
from studies import MODALITIES

from glioseg.volumes.nifti import write_map
from glioseg.volumes.orientation import to_lps

OBLIQUE = np.array([[0, 0, 2, -7], [-1, 0.1, 0, 27], [0.1, 1, 0, 3], [0, 0, 0, 1]], float)


def volume(content, name):
    return nib.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(content["volumes"][name])))


@pytest.mark.parametrize("affine", [None, OBLIQUE], ids=["lps", "oblique"])
def test_volumes_have_the_geometry_of_the_scan(affine, tmp_path):
    folder, mask = scan(tmp_path, affine)
    content = script(folder, mask, tmp_path / "a.js")
    assert content["images"] == list(MODALITIES)
    assert list(content["layers"]) == ["truth", "prediction", "difference"]
    whole, shown = nib.load(mask), volume(content, "truth")
    assert shown.get_data_dtype() == np.uint8 and shown.shape != whole.shape
    # The center of the enhancing tumor in mm: label value 4 on disk, class 3 here.
    middles = [
        nib.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj) == value).mean(axis=0))
        for image, value in ((whole, 4), (shown, 3))
    ]
    np.testing.assert_allclose(*middles, atol=1e-3)
    assert np.count_nonzero(shown.dataobj) == np.count_nonzero(whole.dataobj)
    greys = np.asarray(volume(content, "flair").dataobj)
    assert set(np.unique(greys)) <= set(range(0, 253, 4)) and greys.max() == 252
    assert (greys == 0).any() and np.all(greys[np.asarray(shown.dataobj) > 0] > 0)
    assert not np.asarray(volume(content, "difference").dataobj).any()
    voxels, upright = to_lps(np.asarray(whole.dataobj), whole.affine)
    x, y, z = nib.affines.apply_affine(upright, (3, 4, 5))
    numbers = [a * x + b * y + c * z + d for a, b, c, d, _ in content["slices"].values()]
    assert list(content["slices"]) == ["sagittal", "coronal", "axial"]
    np.testing.assert_allclose(numbers, (3, 4, 5), atol=1e-6)
    assert [count for *_, count in content["slices"].values()] == list(voxels.shape)
    low, high = content["windows"]["flair"]
    assert 200 < low < 400 < 650 < high < 800


def test_only_the_geometry_of_a_header_is_embedded(tmp_path):
    folder, mask = scan(tmp_path)
    for path in mask.parent.glob("*.nii.gz"):
        image = nib.load(path)
        image.header["descrip"] = b"Jane Doe 1950"
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header), path)
    content = script(folder, mask, tmp_path / "a.js")
    assert all(b"Jane" not in volume(content, name).to_bytes() for name in content["volumes"])


@pytest.mark.parametrize("affine", [None, OBLIQUE], ids=["lps", "oblique"])
def test_uncertainty_maps_have_the_geometry_of_the_scan(affine, tmp_path):
    folder, mask = scan(tmp_path, affine)
    whole = nib.load(mask)
    write_map(tmp_path / "entropy.nii.gz", np.asarray(whole.dataobj) / 4, whole.affine)
    content = script(folder, mask, tmp_path / "a.js", "--overlay", tmp_path / "entropy.nii.gz")
    assert content["overlays"] == ["entropy"]
    shown, truth = (np.asarray(volume(content, name).dataobj) for name in ("entropy", "truth"))
    # Enhancing tumor is 4 on disk and 3 here.
    assert shown[truth == 3].min() == 252 and not shown[truth == 0].any() and 120 <= shown[truth == 2].max() <= 132
    assert script(folder, mask, tmp_path / "b.js")["overlays"] == []
