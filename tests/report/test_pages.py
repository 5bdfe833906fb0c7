"""Durations are shown in a suitable unit."""

import pytest

from glioseg.report import pages


@pytest.mark.parametrize(("seconds", "words"), [(0.44, "0.4 s"), (119, "119.0 s"), (600, "10 min"), (9000, "2.5 h")])
def test_duration(seconds, words):
    assert pages.duration(seconds) == words
