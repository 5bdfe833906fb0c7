"""What only looks odd warns, and all else excludes."""

from glioseg.preprocess.findings import CHECKS

WARNED = {"far_spacing", "not_skull_stripped", "flipped", "swapped"}


def test_what_only_looks_odd_warns_and_all_else_excludes():
    assert {name for name, verdict in CHECKS.items() if verdict == "warned"} == WARNED
    assert set(CHECKS.values()) == {"warned", "excluded"}
