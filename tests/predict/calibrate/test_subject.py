"""The maps and the uncertainty of a subject are calibrated; other maps and the segmentation stay."""

import numpy as np
import pytest

from glioseg.predict.calibrate.subject import calibrate_subject
from glioseg.predict.decide import uncertainty
from glioseg.volumes.nifti import read_volume, write_map


def test_maps_and_uncertainty_are_those_of_calibrated_probabilities(tmp_path):
    rng = np.random.default_rng(0)
    whole = np.rint(255 * rng.uniform(size=(10, 10, 10))) / 255
    maps = {"WT": whole, "TC": np.where(whole > 0.4, whole, 0), "ET": 0 * whole, "entropy": whole}
    for name, values in maps.items():
        write_map(tmp_path / f"before/{name}.nii.gz", values, np.diag([1, 1, 2, 1]))
    classes = np.select([whole > 0.5], [1], 0).astype(np.uint8)
    facts = calibrate_subject(tmp_path / "before", tmp_path / "after", classes, 2.0)
    after = {name: read_volume(tmp_path / f"after/{name}.nii.gz")[0] for name in maps}
    assert (after["entropy"] == read_volume(tmp_path / "before/entropy.nii.gz")[0]).all()
    some = (whole > 0.01) & (whole < 0.99)
    odds = np.sqrt(whole[some] / (1 - whole[some]))
    assert after["WT"][some] == pytest.approx(odds / (1 + odds), abs=0.003)
    assert ((after["WT"] > 0.5) == (whole > 0.5)).all()
    # The same as the uncertainty of a network with these outputs.
    network = np.stack([maps[name] for name in ("WT", "TC", "ET")], -1).astype(np.float32)
    expected = uncertainty(network, ("WT", "TC", "ET"), "regions", {}, 0.002, 2.0)
    assert facts["expected_dice"] == pytest.approx(expected["expected_dice"], abs=1e-4)
    assert facts["uncertainty"] == pytest.approx(expected["uncertainty"], abs=1e-4) and facts["temperature"] == 2
