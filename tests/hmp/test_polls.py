"""Poll slots: never closer than the budget, never later than need be."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp.polls import PollSlots


def test_a_verification_finds_room_before_the_polls_that_are_due_later() -> None:
    slots = PollSlots(20)
    assert [slots.take(2.0, 0.0) for _ in range(3)] == pytest.approx([2.0, 2.05, 2.1])
    assert slots.take(0.0, 0.0) == 0.0
    assert slots.take(0.0, 0.0) == pytest.approx(0.05)


def test_a_gap_that_fits_exactly_is_used() -> None:
    slots = PollSlots(10)
    assert [slots.take(at, 0.0) for at in (1.0, 1.2, 1.0, 1.0)] == pytest.approx(
        [1.0, 1.2, 1.1, 1.3]
    )


def test_recordings_that_ended_leave_no_trace() -> None:
    slots = PollSlots(20)
    for _ in range(1000):
        slots.take(2.0, 0.0)
    assert slots.take(102.0, 100.0) == 102.0


@given(st.lists(st.tuples(st.floats(0, 0.2), st.sampled_from([0.0, 2.0])), max_size=80))
def test_any_two_keep_their_distance(asked: list[tuple[float, float]]) -> None:
    slots, now, given_out = PollSlots(20), 0.0, []
    for passed, ahead in asked:
        now += passed
        moment = slots.take(now + ahead, now)
        assert moment >= now + ahead
        given_out.append(moment)
    assert all(b - a >= 0.05 - 1e-6 for a, b in itertools.pairwise(sorted(given_out)))
