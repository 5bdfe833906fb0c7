"""The study that faults are injected into, and the table of what came of each.

GLIOSEG_FAULTS=full (make test-faults) runs all of the matrix; else a quick part runs.
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
    """What takes minutes waits for make test-faults."""
    if not FULL:
        pytest.skip("runs with make test-faults")
