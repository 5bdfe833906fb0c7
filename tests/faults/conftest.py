"""The study that faults are injected into, and the table of what came of each.

GLIOSEG_FAULTS=full (make test-faults) runs all of the matrix and writes docs/reliability.md; else a quick part runs.
"""

import datetime
from pathlib import Path

import pytest

from faults.matrix import FULL, MATRIX, RECORDS
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


def pytest_sessionfinish(session, exitstatus):
    if FULL and RECORDS.exists():
        MATRIX.write(Path(__file__).parents[2] / "docs/reliability.md", datetime.date.today())
