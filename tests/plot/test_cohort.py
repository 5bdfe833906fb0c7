"""The figure of the cohort stacks the tissue volumes of each subject."""

import pytest
from pictures import pixels, words

from glioseg.plot import cohort
from glioseg.plot.style import COMMON, save


def test_cohort_stacks_classes_largest_first():
    figure = cohort.cohort(
        {"a": [1, 2, 3, 0, 0], "b": [4, 5, 6, 0, 0], "c": [1, 1, 1, 0, 0]}, {"a": "0", "b": "0", "c": "test"}
    )
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["b", "a", "c"]
    assert [round(bar.get_height(), 6) for bar in axis.patches[:3]] == [4, 1, 1]
    assert len(axis.patches) == 9 and words(figure) == list(COMMON)
    assert "No subject has a mask" in cohort.cohort({}, {}).texts[0].get_text()


def test_a_cavity_is_stacked_but_not_counted_as_tumor():
    figure = cohort.cohort({"a": [1, 1, 1, 9, 0], "b": [2, 2, 2, 0, 0]}, {"a": "0", "b": "0"})
    bars, boxes = figure.axes
    assert words(figure) == [*COMMON, "cavity"] and bars.get_title(loc="left").startswith("tumor and cavity")
    assert [label.get_text() for label in bars.get_xticklabels()] == ["b", "a"], (
        "sorted by tumor volume without the cavity"
    )
    assert sum(bar.get_height() for bar in bars.patches) == 18
    assert sorted(boxes.collections[0].get_offsets()[:, 1].tolist()) == [3, 6]


@pytest.mark.parametrize("count", [1, 7, 300])
def test_cohort_of_any_size_draws(count, tmp_path):
    volumes = {f"subject {place}": [1.0, place, 2.0, place % 2, 0.0] for place in range(count)}
    save(cohort.cohort(volumes, {name: str(len(name) % 3) for name in volumes}), tmp_path / "cohort.png")
    assert pixels(tmp_path / "cohort.png").std() > 10
