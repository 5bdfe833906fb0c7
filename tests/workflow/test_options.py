"""Settings are converted to command-line arguments."""

import pytest

from glioseg.workflow.options import each, options, paired


def test_options_by_hand():
    section = {"smallest_ml": 0.5, "flips": ["x", "y"], "crop": [[0, 20], [0, 44]], "maps": [], "by": ""}
    words = ["--smallest-ml", "0.5", "--flips", "x", "--flips", "y", "--crop", "[[0, 20], [0, 44]]", "--by="]
    assert options(section) == words


def test_each_and_paired_by_hand():
    assert each("seed", [1, 2]) == ["--seed", "1", "--seed", "2"]
    assert paired("image", ["t1", "t2"], ["a.nii", "b.nii"]) == ["--image", "t1", "a.nii", "--image", "t2", "b.nii"]
    with pytest.raises(ValueError, match="shorter"):
        paired("image", ["t1", "t2"], ["a.nii"])
