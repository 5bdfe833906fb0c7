"""The learning rate, and the end of a training, by steps or by time."""

import pytest

from glioseg.train.schedule import finished, rate, stage_end, stage_of, stages, stalled_epochs

SETTINGS = {
    "schedule": "cosine", "learning_rate": 0.1, "warmup_steps": 10, "epochs": 11, "steps_per_epoch": 10,
    "max_minutes": 0, "patience": 0, "small_patches": 0, "patch": (64, 64, 32), "batch": 2,
}  # fmt: skip


def test_the_rate_rises_and_falls_with_steps_or_with_time():
    assert [rate(step, 0, SETTINGS) for step in (0, 5, 10)] == pytest.approx([0, 0.05, 0.1])
    assert rate(60, 0, SETTINGS) == pytest.approx(0.05)
    assert rate(110, 0, SETTINGS) == pytest.approx(0, abs=1e-12)
    assert rate(60, 0, SETTINGS | {"schedule": "constant"}) == 0.1
    timed = SETTINGS | {"max_minutes": 10, "epochs": 1000}
    assert rate(20, 300, timed) == pytest.approx(0.05, rel=0.01)
    assert rate(20, 600, timed) == pytest.approx(0, abs=1e-12)
    assert rate(20, 700, timed) == pytest.approx(0, abs=1e-12)
    assert rate(9000, 1, timed) == pytest.approx(rate(9000, 1, timed | {"max_minutes": 0}))


def test_a_training_shorter_than_the_rise_still_learns():
    short = SETTINGS | {"epochs": 2, "steps_per_epoch": 4, "warmup_steps": 20}
    assert [rate(step, 0, short) for step in (0, 2, 4, 6)] == pytest.approx([0, 0.05, 0.1, 0.05])


def test_a_training_is_finished_by_epochs_minutes_or_a_loss_that_no_longer_falls():
    rows = [{"loss": "1.0", "seconds": "30.0"}] * 10
    assert not finished(rows, SETTINGS)
    assert finished([*rows, rows[0]], SETTINGS)
    assert finished(rows, SETTINGS | {"max_minutes": 5})
    assert not finished(rows, SETTINGS | {"max_minutes": 5.1})
    assert finished(rows, SETTINGS | {"patience": 9})
    assert not finished(rows, SETTINGS | {"patience": 10})
    assert stalled_epochs([]) == 0
    assert stalled_epochs([3, 2, 1]) == 0
    # The averages are 1, 1.1, 1.09, 1.081, …: after one bad epoch, the average falls only slowly.
    assert stalled_epochs([1, 2, 1, 1]) == 3


def test_a_share_of_the_epochs_or_minutes_has_small_patches():
    rows = [{"seconds": "30.0"}] * 10
    assert stages(SETTINGS) == [SETTINGS]
    assert stage_of([], SETTINGS) == stage_of(rows, SETTINGS) == 0
    grown = SETTINGS | {"small_patches": 0.4, "epochs": 10}
    small, whole = stages(grown)
    assert whole == grown
    # As many voxels in each step.
    assert (small["patch"], small["batch"]) == ((32, 32, 16), 16)
    assert [stage_of(rows[:done], grown) for done in (0, 3, 4, 9)] == [0, 0, 1, 1]
    assert [stage_end(stage, grown) for stage in (0, 1)] == [4, 10]
    assert stage_end(0, SETTINGS) == 11
    # Of ten minutes, four have passed after eight epochs of half a minute each.
    timed = grown | {"max_minutes": 10, "epochs": 1000}
    assert [stage_of(rows[:done], timed) for done in (0, 7, 8, 9)] == [0, 0, 1, 1]
