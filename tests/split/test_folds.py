"""Folds are balanced and depend on the seed."""

import numpy as np
import pytest

from glioseg.split.folds import assign_folds


def test_folds_are_balanced_and_seeded():
    volumes_ml = {f"s{i:02d}": float(i) for i in range(40)}
    enhancing = {name: float(i % 4 > 0) for i, name in enumerate(volumes_ml)}
    assigned = assign_folds(volumes_ml, enhancing, 3, 25, 7)
    groups = {fold: [s for s in volumes_ml if assigned[s] == fold] for fold in ("test", "0", "1", "2")}
    assert sum(map(len, groups.values())) == 40
    assert [len(group) for group in groups.values()] == [10, 10, 10, 10]
    for group in groups.values():
        assert sum(enhancing[s] == 0 for s in group) in (2, 3)
        assert np.mean([volumes_ml[s] for s in group]) == pytest.approx(19.5, abs=3)
    assert assign_folds(volumes_ml, enhancing, 3, 25, 7) == assigned
    assert assign_folds(volumes_ml, enhancing, 3, 25, 8) != assigned
    with pytest.raises(ValueError, match=r"nothing to train on; .* scripts/segment.py"):
        assign_folds({}, {}, 1, 25, 1)
    with pytest.raises(ValueError, match="2 usable patients with masks are too few for 3 folds"):
        assign_folds({"a": 1.0, "b": 2.0}, {"a": 0.0, "b": 0.0}, 3, 0, 1)
