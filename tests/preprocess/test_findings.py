"""Plausibility checks warn, and all other checks exclude."""

from glioseg.preprocess.findings import CHECKS

WARNED = {
    "registration",
    "placement",
    "mask_one_value",
    "far_spacing",
    "not_skull_stripped",
    "flipped",
    "swapped",
    "partly_covered",
}


def test_plausibility_checks_warn_and_all_others_exclude():
    assert {name for name, verdict in CHECKS.items() if verdict == "warned"} == WARNED
    assert set(CHECKS.values()) == {"warned", "excluded"}
