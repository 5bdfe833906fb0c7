"""The viewer's difference map, computed by hand, and its error message if NiiVue is missing."""

import importlib.util

import numpy as np
import pytest

from glioseg.report import viewer


def test_difference_by_hand():
    truth, predicted = np.array([0, 1, 2, 3, 0, 4]), np.array([0, 0, 2, 1, 2, 0])
    assert viewer.difference(truth, predicted).tolist() == [0, 1, 0, 3, 2, 3]


def test_missing_niivue_is_reported(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"ipyniivue.*install what envs/requirements\.lock lists"):
        viewer.niivue()
