"""Intensity normalizations give values that were computed by hand."""

import numpy as np
import pytest
from studies import resave, scan_of, write_subject

from glioseg.preprocess.normalize import NORMALIZATIONS, intensities
from glioseg.volumes.nifti import read_volume


def test_normalizations_by_hand():
    volume = np.array([[[0, 2, 4]], [[0, 6, 8]]], np.float32)
    values = volume[volume > 0]
    inside = intensities(values)
    assert inside == {"minimum": 2, "maximum": 8, "mean": 5, "std": pytest.approx(5**0.5)}
    done = {name: normalize(volume, values, inside) for name, normalize in NORMALIZATIONS.items()}
    assert done["minmax"].ravel().tolist() == [0, 0.25, 0.5, 0, 0.75, 1]
    # Each axial slice is normalized separately, and a constant slice becomes 0.
    assert done["minmax_slice"].ravel().tolist() == [0, 0, 0, 0, 1, 1]
    # These normalize only the voxels of the brain.
    assert done["zscore"] == pytest.approx(np.array([-3, -1, 1, 3]) / 5**0.5)
    assert done["percentile"] == pytest.approx([0, (4 - 2.03) / 5.94, (6 - 2.03) / 5.94, 1])
    # The 0.5th and the 99.5th percentile are 2.03 and 7.97, between which are 4 and 6.
    assert done["zscore_robust"] == pytest.approx([-2.97, -1, 1, 2.97])
    assert {array.dtype for array in done.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("volume", [np.full((3, 3, 3), 5), np.full((3, 3, 3), 1e38), np.zeros((3, 3, 3))], ids=str)
def test_a_constant_scan_does_not_divide_by_zero(volume):
    volume = volume.astype(np.float32)
    for values in (volume.ravel(), volume[:0].ravel()):
        inside = intensities(values)
        assert np.isfinite(list(inside.values())).all()
        for name, normalize in NORMALIZATIONS.items():
            assert np.isfinite(normalize(volume, values, inside)).all(), name


def test_wrong_voxels_do_not_change_the_robust_normalization():
    values = np.random.default_rng(3).normal(400, 90, 100_000).astype(np.float32)
    wrong = values.copy()
    wrong[::1000] = 1e9
    clean, robust = (NORMALIZATIONS["zscore_robust"](one, one, intensities(one)) for one in (values, wrong))
    assert np.abs(np.delete(robust - clean, np.s_[::1000])).max() < 0.1
    assert robust.max() < 3.5


def test_huge_and_tiny_intensities_keep_their_deviation():
    for factor in (1e30, 1e-40):
        values = np.array([-factor, factor], np.float32)
        inside = intensities(values)
        assert inside["std"] == pytest.approx(factor, rel=1e-4)
        assert np.isfinite(NORMALIZATIONS["zscore"](values, values, inside)).all()
        assert np.isfinite(NORMALIZATIONS["percentile"](values, values, inside)).all()


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_part_is_normalized_as_the_whole(tmp_path, normalization):
    # This brain fills its box, so that without a margin the background would be missing from the minimum.
    folder = write_subject(tmp_path, 7)
    for path in folder.iterdir():
        resave(path, lambda v: np.where(np.indices(v.shape).min(0) >= 5, np.maximum(v, "seg" not in path.name), 0))  # noqa: B023
    scan, arrays = scan_of(folder, normalization=normalization)
    volume, _ = read_volume(folder / "case_07_flair.nii.gz")
    values = volume[volume != 0]
    expected = NORMALIZATIONS[normalization](volume, values, intensities(values))
    if expected.ndim == 1:
        expected, values = np.zeros_like(volume), expected
        expected[volume != 0] = values
    assert scan["crop"] == [[5, 40], [5, 44], [5, 36]]
    assert (arrays["image"][..., 0] == expected[5:, 5:, 5:].astype(np.float16)).all()
