"""A head encloses its brain, has all of its tissues, and is painted with another contrast each time."""

import numpy as np
import pytest

from glioseg.synthesize.heads import AROUND, TISSUES, head_of, paint_head
from glioseg.volumes.brain import background_value


@pytest.fixture(scope="module")
def head(patient):
    return head_of(np.random.default_rng(1), patient[0]["t1"] > 0)


def test_a_head_encloses_the_brain_in_layers(patient, head):
    brain = np.pad(patient[0]["t1"] > 0, AROUND)
    name = TISSUES.index
    assert np.array_equal(head == name("brain"), brain)
    assert set(np.unique(head)) == set(range(len(TISSUES)))
    # Upwards from the middle of the brain, each layer follows the other.
    middle = np.argwhere(brain).mean(0).round().astype(int)
    column = head[middle[0], middle[1], middle[2] :]
    order = [TISSUES[value] for value in dict.fromkeys(column.tolist())]
    assert [one for one in order if one in ("skull", "scalp", "air")] == ["skull", "scalp", "air"]
    assert 2.5e6 < (head > 0).sum() < 5.5e6
    # Nothing but the neck is cut off by the edge of the grid.
    assert not any(head.take(end, axis).any() for axis, end in ((0, 0), (0, -1), (1, 0), (1, -1), (2, -1)))
    assert head[:, :, 0].any()


def test_heads_and_their_contrast_differ(patient, head):
    image = patient[0]["flair"]
    other = head_of(np.random.default_rng(2), patient[0]["t1"] > 0)
    assert (other != head).mean() > 0.01
    first, second = (paint_head(np.random.default_rng(seed), head, image, "flair") for seed in (3, 4))
    assert first.dtype == np.int16 and first.min() >= 0
    inside = head == TISSUES.index("muscle")
    assert abs(np.log(first[inside].mean() / second[inside].mean())) > 0.05
    assert np.array_equal(first, paint_head(np.random.default_rng(3), head, image, "flair"))
    # The brain is that of the phantom but for a bias field.
    brain = np.pad(image, AROUND)
    inside = brain > 0
    assert np.corrcoef(first[inside], brain[inside])[0, 1] > 0.8
    # No scanner gives a background without noise.
    assert background_value(first) is None
