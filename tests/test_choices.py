"""A name selects an entry of a registry; the error for an unknown name lists the known names."""

import pytest

from glioseg.choices import choose


def test_a_mapping_gives_its_value_and_other_registries_the_name():
    assert choose("network", "unet", {"unet": 7}) == 7
    assert choose("flips", "x", ("x", "y")) == "x"


@pytest.mark.parametrize("known", [("x", "y"), {"x": 1, "y": 2}])
def test_an_unknown_name_lists_the_known_ones(known):
    with pytest.raises(ValueError, match="flips: 'q' is not known; expected one of x, y"):
        choose("flips", "q", known)
