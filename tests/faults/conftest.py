"""Fixtures of the fault tests: the study into which faults are injected, and the table of outcomes.

GLIOSEG_FAULTS=full (make test-faults) runs the whole matrix; otherwise a quick part of it runs.
"""

import pytest

from faults.matrix import FULL, MATRIX
from faults.study import Study


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study"), trained=FULL)


@pytest.fixture(scope="session")
def matrix():
    return MATRIX


@pytest.fixture
def slow():
    """Skip tests that take minutes unless make test-faults runs them."""
    if not FULL:
        pytest.skip("runs with make test-faults")
